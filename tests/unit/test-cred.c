#include <config.h>

#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include "cred-help.h"

/* Which of those that could be asked is asked. */
struct choice {
	struct cred_scene scene;
	const char *key, *token, *source;	/* part of the source */
};

#define ENV "AWS_ACCESS_KEY_ID=AKENV", "AWS_SECRET_ACCESS_KEY=HIDDEN/env+x"
#define KEYS(key) "aws_access_key_id = " key "\n"			\
		  "aws_secret_access_key = HIDDEN\n"
#define PROCESS(key) "credential_process = echo '{\"Version\": 1, "	\
		     "\"AccessKeyId\": \"" key "\", "			\
		     "\"SecretAccessKey\": \"HIDDEN\"}'\n"

#define SSO "sso_session = office\nsso_account_id = 111122223333\n"	\
	    "sso_role_name = mail\n"

static const struct choice choices[] = {
	{ { .env = { ENV } }, "AKENV", "", "the environment" },
	{ { .env = { ENV, "AWS_SESSION_TOKEN=HIDDEN==" } }, "AKENV",
	  "HIDDEN==", "the environment" },
	{ { .env = { ENV, "AWS_SECURITY_TOKEN=HIDDEN==" } }, "AKENV",
	  "HIDDEN==", "the environment" },
	{ { .env = { ENV, "AWS_PROFILE=p" }, .keys = "[p]\n" KEYS("AKFILE") },
	  "AKENV", "", "the environment" },
	{ { .own = { .profile = "p" }, .env = { ENV },
	    .keys = "[p]\n" KEYS("AKFILE") },
	  "AKFILE", "", "profile p of /" },
	{ { .keys = "[default]\n" KEYS("AKFILE") "aws_session_token = HIDDEN\n",
	    .config = "[default]\n" PROCESS("AKPROCESS") KEYS("AKCONFIG") },
	  "AKFILE", "HIDDEN", "/keys" },
	{ { .config = "[default]\n" PROCESS("AKPROCESS") KEYS("AKCONFIG") },
	  "AKPROCESS", "", "credential_process of profile default of /" },
	{ { .keys = "[default]\n" PROCESS("AKPROCESS") }, "AKPROCESS", "",
	  "/keys" },
	{ { .config = "[default]\n" KEYS("AKCONFIG") }, "AKCONFIG", "",
	  "/config" },
	{ { .keys = "[default]\n" KEYS("AKFILE"),
	    .config = "[default]\n" SSO }, "AKFILE", "", "/keys" },
	{ { .config = "[default]\n" SSO PROCESS("AKPROCESS") }, "AKPROCESS",
	  "", "credential_process" },
	{ { .config = "[profile default]\n" KEYS("AKCONFIG") "[default]\n"
		      KEYS("AKOTHER") }, "AKCONFIG", "", "/config" },
	{ { .env = { "AWS_PROFILE=a b" },
	    .config = "[profile \"a b\"]\n" KEYS("AKCONFIG") }, "AKCONFIG", "",
	  "profile a b of" },
};

static void
asks_in_the_order_of_botocore(const char *dir)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		const struct choice *o = &choices[i];
		struct aws_creds creds;
		struct err e = { .text = "" };
		struct cred *c;

		printf("# row %zu: %s\n", i, o->source);
		c = cred_scene(dir, &o->scene, &e);
		assert_string_equal(e.text, "");
		assert_non_null(c);
		assert_string_equal(cred_source(c), "");
		assert_int_equal(cred_get(c, CRED_NOW, &creds, &e), 0);
		assert_string_equal(creds.access_key, o->key);
		assert_non_null(strstr(creds.secret_key, "HIDDEN"));
		assert_string_equal(creds.token, o->token);
		assert_int_equal(creds.expires, 0);
		assert_non_null(strstr(cred_source(c), o->source));
		cred_no_secret(cred_source(c));
		assert_null(cred_word(c));
		cred_scene_end(c);
	}
}

static const char *const key_files[] = {
	"access_key_id = AKOWN\nsecret_access_key = HIDDEN\n",
	"# ours\naws_access_key_id=AKOWN\naws_secret_access_key=HIDDEN",
	"[default]\r\naws_access_key_id=AKOWN\r\nsecret_access_key=HIDDEN\r\n",
	("access_key_id=x\n[default]\naccess_key_id=AKOWN\n"
	 "secret_access_key=HIDDEN\n"),
};

static void
takes_a_key_file_first(const char *dir)
{
	for (size_t i = 0; i < COUNT(key_files); i++) {
		const struct cred_scene scene = {
			.own = { .key_file = cred_put(dir, "own",
						      key_files[i]) },
			.env = { ENV },
			.keys = "[default]\n" KEYS("AKFILE"),
		};
		struct aws_creds creds;
		struct err e = { .text = "" };
		struct cred *c;

		ROW(key_files[i]);
		c = cred_scene(dir, &scene, &e);
		assert_non_null(c);
		assert_int_equal(cred_get(c, CRED_NOW, &creds, &e), 0);
		assert_string_equal(creds.access_key, "AKOWN");
		assert_string_equal(creds.secret_key, "HIDDEN");
		assert_non_null(strstr(cred_source(c), "the key_file /"));
		/* Fixed ones cannot be renewed. */
		assert_int_equal(cred_renew(c, CRED_NOW, &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_non_null(strstr(e.text, "they are fixed"));
		cred_scene_end(c);
	}
}

struct wrong {
	struct cred_scene scene;
	enum err_kind kind;
	const char *says;
};

#define DEFAULT(line) .config = "[default]\n" line "\n"
#define AT_HOME "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/"
#define ANSWERS(text) DEFAULT("credential_process = echo '" text "'")
#define BIG                                                                    \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct wrong wrongs[] = {
	{ { .own = { .region = "x" } }, ERR_STOP, "cannot find credentials: "
	  "there is no key_file, none in the environment, the profile default "
	  "or a container; AWS_EC2_METADATA_DISABLED is true" },
	{ { .env = { "AWS_ACCESS_KEY_ID=AKHALF" } }, ERR_STOP,
	  "there is no AWS_SECRET_ACCESS_KEY" },
	{ { .env = { ENV, "AWS_CREDENTIAL_EXPIRATION=tomorrow" } }, ERR_STOP,
	  "cannot use AWS_CREDENTIAL_EXPIRATION: expected a time" },
	{ { .env = { ENV, "AWS_CREDENTIAL_EXPIRATION=2026-11-22T02:50:00Z" } },
	  ERR_TEMP, "the environment: they ended 10 minutes ago; is the clock "
	  "of this machine right?" },
	{ { .env = { "AWS_ACCESS_KEY_ID=A K",
		     "AWS_SECRET_ACCESS_KEY=HIDDEN" } },
	  ERR_STOP, "the environment: the access key is empty" },
	{ { .env = { "AWS_ACCESS_KEY_ID=AK",
		     "AWS_SECRET_ACCESS_KEY=HIDDEN\nHIDDEN" } },
	  ERR_STOP, "the secret access key is empty, too long" },
	{ { .env = { "AWS_ACCESS_KEY_ID=AK",
		     "AWS_SECRET_ACCESS_KEY=HIDDEN" BIG BIG } },
	  ERR_STOP, "the secret access key is empty, too long" },
	{ { .env = { ENV, "AWS_SESSION_TOKEN=HIDDEN HIDDEN" } }, ERR_STOP,
	  "the session token is empty, too long, or has blanks" },
	{ { .keys = "[default]\naws_access_key_id = AK\n" }, ERR_STOP,
	  "/keys: there is no aws_secret_access_key" },
	{ { ANSWERS("") }, ERR_TEMP, "default of " },
	{ { ANSWERS("HIDDEN") }, ERR_TEMP, "expected a JSON object" },
	{ { ANSWERS("[1]") }, ERR_TEMP, "expected a JSON object" },
	{ { ANSWERS("{\"SecretAccessKey\": \"HIDDEN\", }") }, ERR_TEMP,
	  "expected a JSON object" },
	/* F24: a NUL would cut the text, and the last of two keys counts. */
	{ { ANSWERS("{\"Version\": 1, \"AccessKeyId\": \"A\\u0000B\", "
		    "\"SecretAccessKey\": \"HIDDEN\"}") }, ERR_TEMP,
	  "expected a JSON object" },
	{ { ANSWERS("{\"Version\": 1, \"AccessKeyId\": \"A\", "
		    "\"SecretAccessKey\": \"HIDDEN\", \"Version\": 2}") },
	  ERR_STOP, "expected \"Version\": 1" },
	{ { ANSWERS("{\"Version\": 2, \"AccessKeyId\": \"A\", "
		    "\"SecretAccessKey\": \"HIDDEN\"}") }, ERR_STOP,
	  "expected \"Version\": 1" },
	{ { ANSWERS("{\"Version\": \"1\", \"AccessKeyId\": \"A\", "
		    "\"SecretAccessKey\": \"HIDDEN\"}") }, ERR_STOP,
	  "expected \"Version\": 1" },
	{ { ANSWERS("{\"Version\": 1, \"SecretAccessKey\": \"HIDDEN\"}") },
	  ERR_STOP, "the access key is empty" },
	{ { ANSWERS("{\"Version\": 1, \"AccessKeyId\": \"A\", "
		    "\"SecretAccessKey\": [\"HIDDEN\"]}") },
	  ERR_STOP, "the secret access key is empty" },
	{ { ANSWERS("{\"Version\": 1, \"AccessKeyId\": \"A\", "
		    "\"SecretAccessKey\": \"HIDDEN\", "
		    "\"Expiration\": \"soon\"}") }, ERR_TEMP,
	  "expected an Expiration as 2026" },
	{ { ANSWERS("{\"Version\": 1, \"AccessKeyId\": \"A\", "
		    "\"SecretAccessKey\": \"HIDDEN\", "
		    "\"Expiration\": \"2026-11-22T01:00:00Z\"}") }, ERR_TEMP,
	  "they ended 120 minutes ago; is the clock" },
	{ { DEFAULT("credential_process = sh -c 'echo no vault >&2; echo "
		    "HIDDEN; exit 1'") }, ERR_TEMP,
	  ": it ended with 1: no vault" },
	{ { DEFAULT("credential_process = sh -c 'kill -9 $$'") }, ERR_TEMP,
	  ": signal 9 ended it" },
	{ { DEFAULT("credential_process = cat /dev/zero") }, ERR_TEMP,
	  ": it prints more than 65536 bytes" },
	{ { DEFAULT("credential_process = /nonexistent HIDDEN") }, ERR_TEMP,
	  "cannot execute /nonexistent: No such file" },
	/* Not those of the container that we run in. */
	{ { DEFAULT(SSO), .env = { AT_HOME } }, ERR_STOP, "profile default of "
	},
	{ { DEFAULT(SSO), .env = { AT_HOME } }, ERR_STOP, "it signs in by a "
	  "browser (sso_account_id), and nobody is there: give it a "
	  "credential_process" },
	{ { DEFAULT("login_session = arn:aws:iam::111122223333:user/u"),
	    .env = { AT_HOME } }, ERR_STOP, "a browser (login_session)" },
	{ { DEFAULT("role_arn = arn:aws:iam::111122223333:role/r\n"
		    "source_profile = s\n[profile s]\n" SSO) }, ERR_STOP,
	  "profile s of " },
	{ { DEFAULT("credential_process = 'HIDDEN") }, ERR_STOP,
	  "expected a program and its arguments, quotes in pairs" },
	{ { DEFAULT("credential_process = \"\\") }, ERR_STOP,
	  "quotes in pairs" },
};

static void
says_what_is_wrong_and_no_secret(const char *dir)
{
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct aws_creds creds;
		struct err e = { .text = "" };
		struct cred *c;

		ROW(w->says);
		c = cred_scene(dir, &w->scene, &e);
		assert_non_null(c);
		assert_int_equal(cred_get(c, CRED_NOW, &creds, &e), -1);
		assert_non_null(strstr(e.text, w->says));
		assert_int_equal(e.kind, w->kind);
		if (e.kind == ERR_STOP)
			assert_true(e.code == EX_CONFIG || e.code == EX_NOPERM);
		cred_no_secret(e.text);
		cred_no_secret(cred_source(c));
		cred_scene_end(c);
	}
}

static void
refuses_a_half_key_file(const char *dir)
{
	static const char *const halves[] = {
		"access_key_id = AK\n", "secret_access_key = HIDDEN\n", "",
	};

	for (size_t i = 0; i < COUNT(halves); i++) {
		const struct cred_scene scene = {
			.own = { .key_file = cred_put(dir, "own", halves[i]) },
			.env = { ENV },
		};
		struct aws_creds creds;
		struct err e = { .text = "" };
		struct cred *c = cred_scene(dir, &scene, &e);

		assert_non_null(c);
		assert_int_equal(cred_get(c, CRED_NOW, &creds, &e), -1);
		assert_non_null(strstr(e.text, "access_key"));
		assert_non_null(strstr(e.text, "there is no "));
		cred_no_secret(e.text);
		cred_scene_end(c);
	}
}

/* A POSIX shell's quoting, and nothing else of a shell. */
static void
splits_the_line_of_a_process(const char *dir)
{
	static const char *const lines[][2] = {
		{ "a b  c", "[a][b][c]" },
		{ "'a b' \"c d\"", "[a b][c d]" },
		{ "a'b'\"c\"d", "[abcd]" },
		{ "'' \"\"", "[][]" },
		{ "'a\"b' \"a'b\"", "[a\"b][a'b]" },
		{ "a\\ b \\' \\\\", "[a b]['][\\]" },
		{ "\"a\\\"b\\\\c\\d\\$e\"", "[a\"b\\c\\d$e]" },
		{ "'a\\b'", "[a\\b]" },
		{ "$HOME `id` $(id) ; * | > x", "[$HOME][`id`][$(id)][;][*][|]"
		  "[>][x]" },
	};

	scratch_text(scratch_path("%s/print", dir), "printf '[%s]' \"$@\" >&2\n"
		     "exit 1\n");
	for (size_t i = 0; i < COUNT(lines); i++) {
		const struct cred_scene scene = {
			.config = scratch_path("[default]\ncredential_process "
					       "= sh %s/print %s\n", dir,
					       lines[i][0]),
		};
		struct aws_creds creds;
		struct err e = { .text = "" };
		struct cred *c = cred_scene(dir, &scene, &e);
		char shown[256];

		ROW(lines[i][0]);
		assert_non_null(c);
		assert_int_equal(cred_get(c, CRED_NOW, &creds, &e), -1);
		text_quote(shown, sizeof(shown), lines[i][1],
			   strlen(lines[i][1]));
		assert_non_null(strstr(e.text, "it ended with 1: "));
		assert_string_equal(strstr(e.text, "1: ") + 3, shown);
		cred_scene_end(c);
	}
}

/* What root has read, the engine works with. */
static struct cred *roots;

static void
reads_as_root(const char *dir)
{
	const struct cred_scene scene = {
		.config = "[default]\ncredential_process = sh -c "
			  "'echo $HOME >&2; exit 1'\n",
	};
	struct err e = { .text = "" };

	roots = cred_scene(dir, &scene, &e);
	assert_non_null(roots);
}

static void
runs_a_process_at_home(const char *dir)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct aws_creds creds;
	struct err e = { .text = "" };

	(void)dir;
	assert_non_null(pw);
	assert_int_equal(cred_get(roots, CRED_NOW, &creds, &e), -1);
	assert_non_null(strstr(e.text, "it ended with 1: "));
	assert_string_equal(strstr(e.text, "1: ") + 3, pw->pw_dir);
	cred_scene_end(roots);
}

struct moment {
	const char *text;
	int64_t time;
};

static const struct moment moments[] = {
	{ "1970-01-01T00:00:01Z", 1 },
	{ "2026-11-22T03:00:00Z", CRED_NOW },
	{ "2026-11-22T03:00:00.123456Z", CRED_NOW },
	{ "2026-11-22T04:00:00+01:00", CRED_NOW },
	{ "2026-11-21T21:30:00-05:30", CRED_NOW },
	{ "2024-02-29T00:00:00Z", 1709164800 },
	{ "", -1 },
	{ "2026-11-22", -1 },
	{ "2026-11-22T03:00:00", -1 },
	{ "2026-11-22T03:00:00ZZ", -1 },
	{ "2026-11-22T03:00:00+", -1 },
	{ "2026-00-22T03:00:00Z", -1 },
	{ "2026-13-22T03:00:00Z", -1 },
	{ "99999-11-22T03:00:00Z", -1 },
	{ "1795316400", -1 },
};

static void
reads_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(moments); i++) {
		ROW(moments[i].text);
		assert_int_equal(cred_time(moments[i].text), moments[i].time);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(asks_in_the_order_of_botocore),
		plain_unit_test(takes_a_key_file_first),
		plain_unit_test(says_what_is_wrong_and_no_secret),
		plain_unit_test(refuses_a_half_key_file),
		plain_unit_test(splits_the_line_of_a_process),
		root_unit_test(runs_a_process_at_home, reads_as_root),
		cmocka_unit_test(reads_times),
	};

	return cmocka_run_group_tests_name("cred", tests, NULL, NULL);
}
