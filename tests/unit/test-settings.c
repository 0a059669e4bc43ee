#include <config.h>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "sync/settings.h"
#include "unit.h"

#define MISTAKES_MAX ((size_t)65536)

static int
parse(struct settings *s, const char *text, struct buf *mistakes,
      struct err *e)
{
	buf_init(mistakes, MISTAKES_MAX);
	return settings_parse(s, "f", text, strlen(text), mistakes, e);
}

static const char full[] =
	"{\"state_dir\": \"/var/lib//x/./y/\", \"engine_user\": \"mail\","
	" \"sources\": [{\"url\": \"file:///srv/a%20b/.//c/\","
	"  \"settle\": 0, \"keep\": true, \"verbatim\": true,"
	"  \"catch_all\": {\"maildir\": \"{home}/M\", \"owner\": \"admin\"},"
	"  \"mailboxes\": ["
	"   {\"prefix\": \"alice/\", \"maildir\": \"/home/alice//M/\"},"
	"   {\"prefix\": \"{user}/\", \"maildir\": \"{home}/M\"},"
	"   {\"prefix\": \"v/\", \"maildir\": \"/v/v\","
	"    \"owner\": \"5000:5000\"}]},"
	" {\"url\": \"file:///srv/d/\", \"recipients\": \"received\","
	"  \"mailboxes\": [{\"recipient\": \"{user}@b.example\","
	"   \"maildir\": \"/v/{user}/M\"}]},"
	" {\"url\": \"s3://my-mail/in\", \"catch_all\": {\"maildir\": \"/c\"},"
	"  \"aws\": {\"region\": \"eu-west-1\", \"key_file\": \"/k\","
	"   \"addressing_style\": \"path\", \"connections\": 32,"
	"   \"use_dualstack_endpoint\": true}},"
	" {\"url\": \"s3://other\", \"catch_all\": {\"maildir\": \"/c\"}}]}";

static void
reads_a_configuration(void **state)
{
	const struct source_settings *src;
	struct settings s;
	struct buf mistakes;
	struct err e;

	(void)state;
	assert_int_equal(parse(&s, full, &mistakes, &e), 0);
	assert_int_equal(mistakes.len, 0);
	assert_string_equal(s.state_dir, "/var/lib/x/y");
	assert_string_equal(s.engine_user, "mail");
	assert_int_equal(s.sources_n, 4);
	src = &s.sources[0];
	assert_string_equal(src->url, "file:///srv/a%20b/.//c/");
	assert_string_equal(src->path, "/srv/a b/c");
	assert_int_equal(src->authority, AUTHORITY_MAILBOX);
	assert_int_equal(src->settle, 0);
	assert_true(src->keep && src->verbatim);
	assert_int_equal(src->routes_n, 3);
	assert_string_equal(src->routes[0].maildir, "/home/alice/M");
	assert_null(src->routes[0].owner);
	assert_false(src->routes[0].template);
	assert_true(src->routes[1].template);
	assert_ptr_equal(src->catch_all, &src->routes[3]);
	assert_string_equal(src->catch_all->owner, "admin");
	assert_null(src->catch_all->prefix);
	src = &s.sources[1];
	assert_int_equal(src->authority, AUTHORITY_RECEIVED);
	assert_int_equal(src->settle, SETTLE_DEFAULT);
	assert_false(src->keep || src->verbatim);
	assert_null(src->catch_all);
	assert_null(src->routes[0].prefix);
	assert_true(src->routes[0].template);
	assert_null(src->bucket);
	assert_null(src->aws);
	src = &s.sources[2];
	assert_string_equal(src->url, "s3://my-mail/in/");
	assert_string_equal(src->bucket, "my-mail");
	assert_string_equal(src->prefix, "in/");
	assert_int_equal(src->settle, 0);
	assert_null(src->path);
	assert_string_equal(src->aws->region, "eu-west-1");
	assert_string_equal(src->aws->key_file, "/k");
	assert_int_equal(src->aws->addressing_style, ENDPOINT_PATH);
	assert_int_equal(src->aws->connections, 32);
	assert_true(src->aws->use_dualstack_endpoint);
	assert_int_equal(s.sources[3].aws->connections, AWS_CONNECTIONS);
	settings_free(&s);
	assert_null(s.sources);
	buf_free(&mistakes);
}

struct words {
	const char *url, *maildir, *owner;
	const char *says;	/* part of the error; NULL: none */
};

static const struct words arguments[] = {
	{ "file:///s/", "/m", NULL, NULL },
	{ "file:///s", "/m/", "alice", NULL },
	{ "file:///s%20/", "/m//./", "5:6", NULL },
	{ "file:///s/", "{home}/M", NULL, NULL },
	{ "s3://bucket/", "/m", NULL, NULL },
	{ "s3://bucket/a b/%2F", "/m", "alice", NULL },
	{ "s3://b/", "/m", NULL, "cannot read s3://b/: expected s3://BUCKET" },
	{ "file://s/", "/m", NULL, "cannot read file://s/: expected file:///" },
	{ "/s", "/m", NULL, "cannot read /s: expected s3://BUCKET/PREFIX/" },
	{ "", "/m", NULL, "cannot read : expected s3://BUCKET/PREFIX/" },
	{ "file:///s/", "", NULL, "cannot deliver to : expected a directory" },
	{ "file:///s/", "/a/../b", NULL, "without \"..\"" },
	{ "file:///s/", "/s/m", NULL, "not apart from the source /s" },
	{ "file:///m/s/", "/m", NULL, "not apart from the source /m/s" },
	{ "file:///s/", "/m", "root", "cannot deliver as root" },
	{ "file:///s/", "/m", "0:0", "cannot deliver as 0:0" },
	{ "file:///s/", "/m", "", "cannot deliver as " },
};

static void
takes_arguments(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	for (size_t i = 0; i < COUNT(arguments); i++) {
		const struct words *w = &arguments[i];
		struct settings s;
		struct err e = { .text = "" };
		int ret = settings_from_arguments(&s, w->url, w->maildir,
						  w->owner, &e);

		ROW(w->says ? w->says : w->maildir);
		assert_int_equal(ret, w->says ? -1 : 0);
		if (w->says != NULL) {
			assert_non_null(strstr(e.text, w->says));
			assert_int_equal(e.kind, ERR_STOP);
			assert_int_equal(e.code, EX_USAGE);
			assert_null(s.arena.head);
			continue;
		}
		assert_int_equal(s.sources_n, 1);
		assert_int_equal(s.sources->settle, 0);
		assert_int_equal(s.sources->routes_n, 1);
		assert_string_equal(s.sources->routes->prefix, "");
		assert_int_equal(*s.sources->routes->maildir, '/');
		assert_false(s.sources->routes->template);
		assert_int_equal(s.sources->url[strlen(s.sources->url) - 1],
				 '/');
		if (s.sources->path != NULL)
			assert_int_equal(*s.sources->path, '/');
		else
			assert_int_equal(s.sources->aws->connections, 16);
		settings_free(&s);
	}
}

struct bucket {
	const char *url, *whole, *bucket, *prefix;
};

static const struct bucket buckets[] = {
	{ "s3://bucket", "s3://bucket/", "bucket", "" },
	{ "s3://bucket/", "s3://bucket/", "bucket", "" },
	{ "s3://bucket/in", "s3://bucket/in/", "bucket", "in/" },
	{ "s3://a.b-c/in/x y/", "s3://a.b-c/in/x y/", "a.b-c", "in/x y/" },
	{ "s3://bucket/%2F?#/", "s3://bucket/%2F?#/", "bucket", "%2F?#/" },
	{ "s3://bucket//x/../y", "s3://bucket//x/../y/", "bucket",
	  "/x/../y/" },
};

/* Keys have no escapes and no "..": the prefix is as it was written. */
static void
splits_s3_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(buckets); i++) {
		const struct bucket *b = &buckets[i];
		struct settings s;
		struct err e;

		ROW(b->url);
		assert_int_equal(settings_from_arguments(&s, b->url, "/m", NULL,
							 &e), 0);
		assert_string_equal(s.sources->url, b->whole);
		assert_string_equal(s.sources->bucket, b->bucket);
		assert_string_equal(s.sources->prefix, b->prefix);
		assert_null(s.sources->path);
		assert_int_equal(settings_state_dir(&s, "/in", &e), 0);
		settings_free(&s);
	}
}

struct given {
	const char *url;
	struct aws_settings given;
	const char *says;	/* NULL: it goes */
};

static const struct given givens[] = {
	{ "file:///s/", { 0 }, NULL },
	{ "file:///s/", { .region = "r" }, "cannot use --region: no source" },
	{ "file:///s/", { .profile = "r" }, "cannot use --profile: no" },
	{ "file:///s/", { .endpoint_url = "r" }, "--endpoint-url: no" },
	{ "file:///s/", { .ca_bundle = "/r" }, "--ca-bundle: no source" },
	{ "file:///s/", { .connections = 3 }, "--connections: no source" },
	{ "s3://bucket/", { 0 }, NULL },
	{ "s3://bucket/", { .region = "r", .profile = "p", .ca_bundle = "/c",
			    .endpoint_url = "https://h", .connections = 3 },
	  NULL },
	{ "s3://bucket/", { .endpoint_url = "h" }, "cannot use the endpoint" },
	{ "s3://bucket/", { .region = "" }, "cannot use the region" },
	{ "s3://bucket/", { .profile = "" }, "cannot use the profile" },
};

static void
puts_the_command_line_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(givens); i++) {
		const struct given *g = &givens[i];
		const struct aws_settings *aws;
		struct settings s;
		struct err e = { .text = "" };
		int ret;

		ROW(g->says ? g->says : g->url);
		assert_int_equal(settings_from_arguments(&s, g->url, "/m", NULL,
							 &e), 0);
		aws = s.sources->aws;
		if (aws != NULL) {
			s.sources->aws->region = "file";
			s.sources->aws->key_file = "/k";
		}
		ret = settings_use_aws(&s, &g->given, &e);
		assert_int_equal(ret, g->says ? -1 : 0);
		if (g->says != NULL) {
			assert_non_null(strstr(e.text, g->says));
			assert_int_equal(e.code, EX_USAGE);
		} else if (g->given.region != NULL) {
			assert_string_equal(aws->region, "r");
			assert_string_equal(aws->profile, "p");
			assert_string_equal(aws->ca_bundle, "/c");
			assert_string_equal(aws->endpoint_url, "https://h");
			assert_int_equal(aws->connections, 3);
			assert_null(aws->key_file);
		} else if (aws != NULL) {
			assert_string_equal(aws->region, "file");
			assert_string_equal(aws->key_file, "/k");
			assert_int_equal(aws->connections, 16);
		}
		settings_free(&s);
	}
}

static void
takes_a_source_alone(void **state)
{
	struct settings s;
	struct err e;

	(void)state;
	assert_int_equal(settings_from_source(&s, "s3://my-mail/in", &e), 0);
	assert_int_equal(s.sources_n, 1);
	assert_string_equal(s.sources->url, "s3://my-mail/in/");
	assert_non_null(s.sources->aws);
	assert_int_equal(s.sources->routes_n, 0);
	assert_non_null(s.engine_user);
	settings_free(&s);
	assert_int_equal(settings_from_source(&s, "file:///a", &e), 0);
	assert_string_equal(s.sources->path, "/a");
	assert_null(s.sources->aws);
	settings_free(&s);
	assert_int_equal(settings_from_source(&s, "http://a/", &e), -1);
	assert_int_equal(e.code, EX_USAGE);
	assert_null(s.arena.head);
}

static void
makes_names_clean(void **state)
{
	struct settings s;
	struct err e;

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	assert_int_equal(settings_from_arguments(&s, "file:///s%20//t", "./m//",
						 NULL, &e), 0);
	assert_string_equal(s.sources->url, "file:///s%20//t/");
	assert_string_equal(s.sources->path, "/s /t");
	assert_string_equal(s.sources->routes->maildir, "/usr/m");
	settings_free(&s);
}

static void
finds_a_state_directory(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());
	char expected[4096];
	struct settings s;
	struct err e;

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	assert_int_equal(settings_from_arguments(&s, "file:///s/", "/m", NULL,
						 &e), 0);
	if (geteuid() == 0 || (pw != NULL && *pw->pw_dir == '/')) {
		if (geteuid() == 0)
			snprintf(expected, sizeof(expected),
				 LOCALSTATEDIR "/lib/fallbackmx");
		else
			snprintf(expected, sizeof(expected),
				 "%s/.local/state/fallbackmx", pw->pw_dir);
		assert_int_equal(settings_state_dir(&s, NULL, &e), 0);
		assert_string_equal(s.state_dir, expected);
	}
	assert_int_equal(settings_state_dir(&s, "x//y/", &e), 0);
	assert_string_equal(s.state_dir, "/usr/x/y");
	assert_int_equal(settings_state_dir(&s, NULL, &e), 0);
	assert_string_equal(s.state_dir, "/usr/x/y");
	assert_int_equal(settings_state_dir(&s, "../y", &e), -1);
	assert_int_equal(e.code, EX_USAGE);
	assert_int_equal(settings_state_dir(&s, "/s/t", &e), -1);
	assert_non_null(strstr(e.text, "inside the source /s"));
	settings_free(&s);
}

struct file {
	const char *name;
	mode_t mode;
	uid_t owner;
	int code;	/* as root; 0: good */
};

static const struct file files[] = {
	{ "good", 0644, 0, 0 },
	{ "good and private", 0600, 0, 0 },
	{ "others may write", 0646, 0, EX_CONFIG },
	{ "the group may write", 0664, 0, EX_CONFIG },
	{ "another owner", 0644, 12345, EX_CONFIG },
};

static int
read_back(const char *path, int *code)
{
	struct settings s;
	struct buf mistakes;
	struct err e = { .text = "" };
	int ret;

	buf_init(&mistakes, MISTAKES_MAX);
	ret = settings_read(&s, path, &mistakes, &e);
	*code = ret == 0 ? 0 : e.code;
	settings_free(&s);
	buf_free(&mistakes);
	return ret;
}

static void
reads_a_file(void **state)
{
	char path[] = "/tmp/fallbackmx-unit-XXXXXX";
	int fd = mkstemp(path), code;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, full, strlen(full)), strlen(full));
	for (size_t i = 0; i < COUNT(files); i++) {
		bool root = geteuid() == 0;

		ROW(files[i].name);
		assert_int_equal(fchmod(fd, files[i].mode), 0);
		if (root)
			assert_int_equal(fchown(fd, files[i].owner, 0), 0);
		read_back(path, &code);
		assert_int_equal(code, root ? files[i].code : 0);
	}
	unlink(path);
	assert_int_equal(read_back(path, &code), -1);
	assert_int_equal(code, EX_CONFIG);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_back(path, &code), -1);
	assert_int_equal(code, EX_CONFIG);
	unlink(path);
	assert_int_equal(read_back("/dev/zero", &code), -1);
	assert_int_equal(read_back("/tmp", &code), -1);
	close(fd);
}

/* What `config show` prints is the same configuration. */
static void
prints_what_it_reads(void **state)
{
	char *text[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct settings s;
		struct buf mistakes;
		struct err e;
		json_t *top;

		assert_int_equal(parse(&s, i == 0 ? full : text[0], &mistakes,
				       &e), 0);
		top = settings_json(&s);
		text[i] = json_dumps(top, 0);
		json_decref(top);
		settings_free(&s);
		buf_free(&mistakes);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[0], "\"settle\": 60"));
	free(text[0]);
	free(text[1]);
}

/* Then the file is the milter's alone, and what is printed is good too. */
static void
does_without_sources(void **state)
{
	static const char text[] = "{\"milter\": {\"any\": [\"thing\"]}}";
	struct settings s;
	struct buf mistakes;
	struct err e;
	json_t *top;

	(void)state;
	assert_int_equal(parse(&s, text, &mistakes, &e), 0);
	assert_int_equal(s.sources_n, 0);
	assert_null(s.sources);
	top = settings_json(&s);
	assert_null(json_object_get(top, "sources"));
	assert_null(json_object_get(top, "milter"));
	json_decref(top);
	settings_free(&s);
	buf_free(&mistakes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_configuration),
		cmocka_unit_test(takes_arguments),
		cmocka_unit_test(does_without_sources),
		cmocka_unit_test(takes_a_source_alone),
		cmocka_unit_test(splits_s3_urls),
		cmocka_unit_test(puts_the_command_line_first),
		cmocka_unit_test(makes_names_clean),
		cmocka_unit_test(finds_a_state_directory),
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(prints_what_it_reads),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
