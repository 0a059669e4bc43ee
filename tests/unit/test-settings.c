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
	"   \"maildir\": \"/v/{user}/M\"}]}]}";

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
	assert_int_equal(s.sources_n, 2);
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
	{ "s3://b/", "/m", NULL, "this build has no S3 source" },
	{ "/s", "/m", NULL, "cannot read /s: expected file:///" },
	{ "", "/m", NULL, "cannot read : expected file:///" },
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
		assert_int_equal(*s.sources->path, '/');
		settings_free(&s);
	}
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
	char text[2][8192];

	(void)state;
	for (int i = 0; i < 2; i++) {
		FILE *file = tmpfile();
		int saved = dup(STDOUT_FILENO);
		struct settings s;
		struct buf mistakes;
		struct err e;
		size_t n;

		assert_int_equal(parse(&s, i == 0 ? full : text[0], &mistakes,
				       &e), 0);
		fflush(stdout);
		dup2(fileno(file), STDOUT_FILENO);
		settings_print(&s);
		fflush(stdout);
		dup2(saved, STDOUT_FILENO);
		close(saved);
		rewind(file);
		n = fread(text[i], 1, sizeof(text[i]) - 1, file);
		text[i][n] = '\0';
		fclose(file);
		settings_free(&s);
		buf_free(&mistakes);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[0], "\"settle\": 60"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_configuration),
		cmocka_unit_test(takes_arguments),
		cmocka_unit_test(makes_names_clean),
		cmocka_unit_test(finds_a_state_directory),
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(prints_what_it_reads),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
