#include <config.h>

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/aws/aws-config.h"
#include "lib/aws/aws-env.h"
#include "scratch.h"

/* Writes a file that only we may read. */
static const char *
put(const char *dir, const char *name, const char *text)
{
	const char *path = scratch_path("%s/%s", dir, name);

	scratch_text(path, text);
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

/* "NAME=VALUE" pairs become the environment of the next configuration. */
static void
set_environment(const char *dir, const char *const *pairs)
{
	aws_env_take();
	aws_env_wipe();
	setenv("AWS_CONFIG_FILE", scratch_path("%s/config", dir), 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", scratch_path("%s/keys", dir), 1);
	for (; *pairs != NULL; pairs++) {
		char name[64];
		size_t n = strcspn(*pairs, "=");

		assert_true(n < sizeof(name));
		memcpy(name, *pairs, n);
		name[n] = '\0';
		setenv(name, *pairs + n + 1, 1);
	}
}

static const char config[] =
	"[default]\nregion = profile-1\nca_bundle = /dev/null\n"
	"endpoint_url = https://profile.example\n"
	"max_attempts = 7\n"
	"s3 =\n  addressing_style = virtual\n"
	"[profile named]\nregion = named-1\nservices = local\n"
	"endpoint_url = https://global.example\n"
	"use_fips_endpoint = false\nretry_mode = adaptive\n"
	"[profile ignoring]\nservices = local\nregion = r-1\n"
	"ignore_configured_endpoint_urls = TRUE\n"
	"[profile lost]\nservices = none\n"
	"[profile fips]\nuse_fips_endpoint = true\n"
	"use_dualstack_endpoint = true\nregion = eu-west-1\n"
	"[profile bad]\nuse_fips_endpoint = yes\n"
	"[profile style]\ns3 =\n  addressing_style = subdomain\n"
	"[profile tries]\nmax_attempts = 0\n"
	"[profile both]\nregion = config-1\n"
	"[services local]\ns3 =\n  endpoint_url = https://s3.example\n"
	"sts =\n  endpoint_url = https://sts.example\n";
static const char keys[] =
	"[both]\nregion = keys-1\n"
	"[other]\naws_access_key_id = AKIDOTHER\n"
	"aws_secret_access_key = HIDDEN\n";

struct precedence {
	struct aws_settings own;
	const char *env[5];
	const char *name, *value, *source;	/* part of the source */
};

static const struct precedence orders[] = {
	{ { .region = "own-1" }, { "AWS_REGION=env-1", NULL }, "region",
	  "own-1", "settings" },
	{ { .region = "" }, { "AWS_REGION=env-1", "AWS_DEFAULT_REGION=env-2" },
	  "region", "env-1", "AWS_REGION" },
	{ { 0 }, { "AWS_REGION=", "AWS_DEFAULT_REGION=env-2" }, "region",
	  "env-2", "AWS_DEFAULT_REGION" },
	{ { 0 }, { NULL }, "region", "profile-1", "profile default of /" },
	{ { 0 }, { "AWS_PROFILE=named", "AWS_DEFAULT_PROFILE=x" }, "region",
	  "named-1", "profile named of /" },
	{ { 0 }, { "AWS_DEFAULT_PROFILE=named" }, "profile", "named",
	  "AWS_DEFAULT_PROFILE" },
	{ { .profile = "named" }, { "AWS_PROFILE=default" }, "profile",
	  "named", "settings" },
	{ { 0 }, { NULL }, "profile", "default", "default" },
	{ { .profile = "both" }, { NULL }, "region", "keys-1", "/keys" },
	{ { .endpoint_url = "https://own.example" },
	  { "AWS_ENDPOINT_URL_S3=https://env.example",
	    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true" }, "endpoint_url",
	  "https://own.example", "settings" },
	{ { 0 }, { "AWS_ENDPOINT_URL_S3=https://s.example",
		   "AWS_ENDPOINT_URL=https://e.example" }, "endpoint_url",
	  "https://s.example", "AWS_ENDPOINT_URL_S3" },
	{ { 0 }, { "AWS_ENDPOINT_URL=https://e.example", "AWS_PROFILE=named" },
	  "endpoint_url", "https://e.example", "AWS_ENDPOINT_URL" },
	{ { 0 }, { "AWS_PROFILE=named" }, "endpoint_url",
	  "https://s3.example", "[services local] of /" },
	{ { 0 }, { "AWS_PROFILE=named" }, "endpoint_url of STS",
	  "https://sts.example", "[services local] of /" },
	{ { 0 }, { "AWS_PROFILE=named", "AWS_ENDPOINT_URL_STS=https://t" },
	  "endpoint_url of STS", "https://t", "AWS_ENDPOINT_URL_STS" },
	{ { 0 }, { NULL }, "endpoint_url", "https://profile.example",
	  "profile default" },
	{ { 0 }, { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=True" },
	  "endpoint_url", NULL, NULL },
	{ { .profile = "ignoring" }, { NULL }, "endpoint_url", NULL, NULL },
	{ { .profile = "ignoring" },
	  { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false" }, "endpoint_url",
	  "https://s3.example", "[services local]" },
	{ { .ca_bundle = "/dev/zero" }, { "AWS_CA_BUNDLE=/dev/full" },
	  "ca_bundle", "/dev/zero", "settings" },
	{ { 0 }, { "AWS_CA_BUNDLE=/dev/zero" }, "ca_bundle", "/dev/zero",
	  "AWS_CA_BUNDLE" },
	{ { 0 }, { NULL }, "ca_bundle", "/dev/null", "profile default" },
	{ { .profile = "named" }, { NULL }, "ca_bundle", NULL, NULL },
	{ { .addressing_style = ENDPOINT_PATH }, { NULL }, "addressing_style",
	  "path", "settings" },
	{ { 0 }, { NULL }, "addressing_style", "virtual", "profile default" },
	{ { .profile = "named" }, { NULL }, "addressing_style", "auto",
	  "default" },
	{ { .profile = "fips" }, { NULL }, "use_fips_endpoint", "true",
	  "profile fips" },
	{ { .profile = "fips" }, { "AWS_USE_FIPS_ENDPOINT=false" },
	  "use_fips_endpoint", "false", "AWS_USE_FIPS_ENDPOINT" },
	{ { .profile = "fips", .use_fips_endpoint = true },
	  { "AWS_USE_FIPS_ENDPOINT=false" }, "use_fips_endpoint", "true",
	  "settings" },
	{ { .profile = "fips" }, { "AWS_USE_DUALSTACK_ENDPOINT=FALSE" },
	  "use_dualstack_endpoint", "FALSE", "AWS_USE_DUALSTACK_ENDPOINT" },
	{ { 0 }, { NULL }, "max_attempts", "7", "profile default" },
	{ { 0 }, { "AWS_MAX_ATTEMPTS=3" }, "max_attempts", "3",
	  "AWS_MAX_ATTEMPTS" },
	{ { .profile = "named" }, { NULL }, "max_attempts", NULL, NULL },
	{ { .profile = "named" }, { NULL }, "retry_mode", "adaptive",
	  "profile named" },
	{ { 0 }, { NULL }, "connections", "16", "default" },
	{ { .connections = 64 }, { NULL }, "connections", "64", "settings" },
	{ { .proxy = "http://p:3128" }, { NULL }, "proxy", "http://p:3128",
	  "settings" },
	{ { 0 }, { NULL }, "proxy", NULL, NULL },
	{ { 0 }, { NULL }, "config file", "/", "AWS_CONFIG_FILE" },
};

static bool
find(const struct aws_config *c, const char *name, struct aws_config_value *v)
{
	for (size_t i = 0; aws_config_value(c, i, v); i++)
		if (strcmp(v->name, name) == 0)
			return true;
	return false;
}

static void
follows_the_order(const char *dir)
{
	put(dir, "config", config);
	put(dir, "keys", keys);
	for (size_t i = 0; i < COUNT(orders); i++) {
		const struct precedence *o = &orders[i];
		struct aws_config_value v;
		struct aws_config *c;
		struct err e = { .text = "" };

		printf("# row %zu: %s\n", i, o->name);
		set_environment(dir, o->env);
		c = aws_config_new(&o->own, &e);
		assert_string_equal(e.text, "");
		assert_non_null(c);
		assert_int_equal(find(c, o->name, &v), o->value != NULL);
		if (o->value != NULL && o->value[1] != '\0') {
			assert_string_equal(v.value, o->value);
			assert_non_null(strstr(v.source, o->source));
		}
		aws_config_free(c);
	}
}

struct wrong {
	struct aws_settings own;
	const char *env[5];
	const char *says;
};

static const struct wrong wrongs[] = {
	{ { .profile = "nobody" }, { NULL }, "cannot use the profile nobody "
	  "(settings): it is not in /" },
	{ { 0 }, { "AWS_PROFILE=nobody" }, "profile nobody (AWS_PROFILE)" },
	{ { .profile = "x" }, { "AWS_CONFIG_FILE=/dev/null",
				"AWS_SHARED_CREDENTIALS_FILE=/nonexistent" },
	  "there are no shared files" },
	{ { .profile = "lost" }, { NULL }, "no section [services none]" },
	{ { .profile = "bad" }, { NULL }, "the use_fips_endpoint yes (profile "
	  "bad of /" },
	{ { .profile = "style" }, { NULL }, "addressing_style subdomain" },
	{ { .profile = "tries" }, { NULL }, "max_attempts 0 (profile tries" },
	{ { 0 }, { "AWS_MAX_ATTEMPTS=many" }, "max_attempts many (AWS_MAX_" },
	{ { 0 }, { "AWS_RETRY_MODE=never" }, "retry_mode never (AWS_RETRY_" },
	{ { 0 }, { "AWS_USE_DUALSTACK_ENDPOINT=1" }, "expected true or false" },
	{ { 0 }, { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=1" }, "true or false" },
	{ { 0 }, { "AWS_CA_BUNDLE=/nonexistent" }, "cannot read the ca_bundle "
	  "/nonexistent (AWS_CA_BUNDLE): No such file" },
	{ { .endpoint_url = "minio:9000" }, { NULL }, "the endpoint minio" },
	{ { .endpoint_url = "http://minio" }, { NULL }, "allow_plain_http" },
	{ { .region = "a b", .endpoint_url = "https://x" }, { NULL },
	  "cannot use the region a b" },
	{ { .key_file = "/nonexistent" }, { NULL }, "cannot read the key_file "
	  "/nonexistent: there is none" },
	{ { .key_file = "credential:x" }, { NULL }, "there is no CREDENTIALS_D"
	  "IRECTORY; systemd sets it for a unit with LoadCredential=x:FILE" },
	{ { .key_file = "credential:../x" }, { "CREDENTIALS_DIRECTORY=/tmp" },
	  "expected the name of a credential" },
	{ { .key_file = "credential:" }, { "CREDENTIALS_DIRECTORY=/tmp" },
	  "expected the name of a credential" },
};

static void
names_what_is_wrong(const char *dir)
{
	put(dir, "config", config);
	put(dir, "keys", keys);
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct err e = { .text = "" };

		ROW(wrongs[i].says);
		set_environment(dir, wrongs[i].env);
		assert_null(aws_config_new(&wrongs[i].own, &e));
		assert_int_equal(e.kind, ERR_STOP);
		assert_true(e.code == EX_CONFIG || e.code == EX_NOPERM);
		assert_non_null(strstr(e.text, wrongs[i].says));
		assert_null(strstr(e.text, "HIDDEN"));
	}
}

static void
guards_files_of_secrets(const char *dir)
{
	static const char *const none[] = { NULL };
	static const struct aws_settings nothing = { 0 };
	const char *path = put(dir, "keys", keys);
	struct aws_settings own = { .key_file = path };
	struct aws_config *c;
	struct err e = { .text = "" };

	put(dir, "config", config);
	assert_int_equal(chmod(path, 0644), 0);
	set_environment(dir, none);
	assert_null(aws_config_new(&nothing, &e));
	assert_non_null(strstr(e.text, "run: chmod o-rwx '"));
	assert_null(aws_config_new(&own, &e));
	assert_int_equal(e.code, EX_NOPERM);
	/* The configuration without secrets is for all to read. */
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(chmod(scratch_path("%s/config", dir), 0644), 0);
	set_environment(dir, none);
	c = aws_config_new(&own, &e);
	assert_non_null(c);
	aws_config_free(c);
	put(dir, "config", keys);
	assert_int_equal(chmod(scratch_path("%s/config", dir), 0644), 0);
	set_environment(dir, none);
	assert_null(aws_config_new(&nothing, &e));
	assert_non_null(strstr(e.text, "/config: it holds secrets"));
	assert_null(strstr(e.text, "HIDDEN"));
}

/* The keys are there, and a profile of the caller's is no matter. */
static void
needs_no_profile_beside_a_key_file(const char *dir)
{
	static const char *const profiles[] = { "other", "nobody" };
	const struct aws_settings own = { .key_file = put(dir, "own", keys) };

	put(dir, "config", config);
	put(dir, "keys", keys);
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const char *env[] = {
			scratch_path("AWS_PROFILE=%s", profiles[i]), NULL
		};
		struct aws_config *c;
		struct err e = { .text = "" };

		ROW(profiles[i]);
		set_environment(dir, env);
		c = aws_config_new(&own, &e);
		assert_string_equal(e.text, "");
		assert_non_null(c);
		aws_config_free(c);
	}
}

static void
takes_a_credential_of_systemd(const char *dir)
{
	const char *env[] = {
		scratch_path("CREDENTIALS_DIRECTORY=%s", dir), NULL
	};
	const struct aws_settings own = { .key_file = "credential:fallback" };
	struct aws_config_value v;
	struct aws_config *c;
	struct err e = { .text = "" };

	put(dir, "fallback", "access_key_id = AKID\nsecret_access_key = x\n");
	set_environment(dir, env);
	c = aws_config_new(&own, &e);
	assert_non_null(c);
	assert_true(find(c, "key_file", &v));
	assert_non_null(strstr(v.value, "/fallback"));
	aws_config_free(c);
}

static void
warns_and_answers(const char *dir)
{
	static const char *const env[] = { "AWS_PROFILE=named", NULL };
	const struct aws_settings own = { .connections = 3 };
	struct endpoint_bucket b;
	struct endpoint r;
	struct aws_config *c;
	struct err e = { .text = "" };

	put(dir, "config", config);
	set_environment(dir, env);
	c = aws_config_new(&own, &e);
	assert_non_null(c);
	assert_non_null(strstr(aws_config_warning(c, 0), "adaptive"));
	assert_null(aws_config_warning(c, 1));
	assert_int_equal(aws_config_connections(c), 3);
	assert_int_equal(aws_config_max_attempts(c), 0);
	assert_null(aws_config_proxy(c));
	assert_null(aws_config_ca_bundle(c));
	assert_int_equal(aws_config_endpoint(c, "s3", NULL, &r, &e), 0);
	endpoint_bucket(&r, "mail", &b);
	assert_string_equal(b.origin, "https://s3.example");
	assert_string_equal(r.region, "named-1");
	assert_int_equal(aws_config_endpoint(c, "sts", "x", &r, &e), 0);
	assert_string_equal(r.host, "sts.example");
	assert_string_equal(r.region, "x");
	aws_config_free(c);
	aws_config_free(NULL);
}

static void
learns_a_region(const char *dir)
{
	static const char *const env[] = { "AWS_CONFIG_FILE=/dev/null", NULL };
	static const struct aws_settings nothing = { 0 };
	struct aws_config_value v;
	struct aws_config *c;
	struct err e = { .text = "" };

	set_environment(dir, env);
	c = aws_config_new(&nothing, &e);
	assert_non_null(c);
	assert_false(aws_config_region_known(c));
	assert_string_equal(aws_config_region(c), "us-east-1");
	aws_config_set_region(c, "eu-west-1", "somebody");
	assert_true(aws_config_region_known(c));
	assert_string_equal(aws_config_region(c), "eu-west-1");
	assert_true(find(c, "region", &v));
	assert_string_equal(v.source, "somebody");
	aws_config_free(c);
}

/* Also the bytes that /proc/self/environ showed. */
static void
takes_secrets_out_of_the_environment(const char *dir)
{
	static const char *const env[] = { NULL };
	static const struct aws_settings nothing = { 0 };
	static char variable[] = "AWS_SECRET_ACCESS_KEY=HIDDEN";
	struct aws_config *c;
	struct err e = { .text = "" };

	set_environment(dir, env);
	assert_int_equal(putenv(variable), 0);
	setenv("AWS_SESSION_TOKEN", "HIDDEN", 1);
	c = aws_config_new(&nothing, &e);
	assert_non_null(c);
	assert_null(getenv("AWS_SECRET_ACCESS_KEY"));
	assert_null(getenv("AWS_SESSION_TOKEN"));
	assert_null(getenv("AWS_CONFIG_FILE"));
	assert_int_equal(variable[strlen("AWS_SECRET_ACCESS_KEY=")], '\0');
	assert_string_equal(aws_env("AWS_SECRET_ACCESS_KEY"), "HIDDEN");
	aws_config_free(c);
	aws_env_wipe();
	assert_null(aws_env("AWS_SECRET_ACCESS_KEY"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(follows_the_order),
		plain_unit_test(names_what_is_wrong),
		plain_unit_test(guards_files_of_secrets),
		plain_unit_test(needs_no_profile_beside_a_key_file),
		plain_unit_test(takes_a_credential_of_systemd),
		plain_unit_test(warns_and_answers),
		plain_unit_test(learns_a_region),
		plain_unit_test(takes_secrets_out_of_the_environment),
	};

	return cmocka_run_group_tests_name("aws-config", tests, NULL, NULL);
}
