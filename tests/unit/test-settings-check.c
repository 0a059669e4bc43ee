#include <config.h>

#include <sysexits.h>

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

struct wrong {
	const char *text;
	const char *says[4];	/* the lines, without "f: " */
};

/* One source around its inside; one line around its inside. */
#define SOURCE(inside) "{\"sources\": [{\"url\": \"file:///s/\", " inside "}]}"
#define LINE(inside) SOURCE("\"mailboxes\": [{" inside "}]")
#define RECEIVED(inside) SOURCE("\"recipients\": \"received\", "	\
				"\"mailboxes\": [{" inside "}]")
#define URL(url) "{\"sources\": [{\"url\": \"" url "\", "		\
		 "\"catch_all\": {\"maildir\": \"/m\"}}]}"
#define S3(inside) "{\"sources\": [{\"url\": \"s3://bucket/\", " inside	\
		   ", \"catch_all\": {\"maildir\": \"/m\"}}]}"
#define AWS(inside) S3("\"aws\": {" inside "}")
#define TWO(a, b) "{\"sources\": [{\"url\": \"" a "\", "		\
		  "\"catch_all\": {\"maildir\": \"/m\"}}, "		\
		  "{\"url\": \"" b "\", "				\
		  "\"catch_all\": {\"maildir\": \"/m\"}}]}"
#define M0 "sources[0].mailboxes[0]"
#define BAD_URL "sources[0].url: found \""
#define GOOD_URL "\", expected file:///DIRECTORY/ (absolute, no "	\
		 "\"..\", \"%\" only as %XX, \"?\" and \"#\" as %3F and %23)"
#define GOOD_S3 "\", expected s3://BUCKET/PREFIX/ (a bucket of 3 to "	\
		"63 letters, digits, \"-\" and \".\")"
#define ANY_URL "\", expected s3://BUCKET/PREFIX/ or file:///DIRECTORY/"
#define GOOD_MAILDIR "\", expected an absolute directory without "	\
		     "\"..\", or {home}/..."
#define GOOD_PREFIX "\", expected \"\", or a prefix with a slash at "	\
		    "its end and none at its begin"
#define GOOD_USER "\", expected {user} once, as a whole path segment"
#define GOOD_OWNER "\", expected a user name or uid:gid, not root"
#define APART "\", expected a directory apart from each source"

static const struct wrong wrongs[] = {
	{ "{\"milter\": 7, \"sorces\": []}",
	  { "sorces: found an unknown key, expected state_dir, engine_user, "
	    "sources or milter (did you mean \"sources\"?)" } },
	{ "{\"sources\": []}", { "sources: found a list, expected where mail "
		  "comes from (a list of 1 to 64 objects)" } },
	{ SOURCE("\"keep\": true"),
	  { "sources[0]: found nothing, expected mailboxes or catch_all" } },
	{ SOURCE("\"catch_all\": {\"maildir\": \"/m\"}, \"recipients\": "
		 "\"notification\""),
	  { "sources[0].recipients: found \"notification\", expected mailbox "
	    "or received (it needs SQS notifications, which this version does "
	    "not have)" } },
	{ SOURCE("\"catch_all\": {\"maildir\": \"/m\", \"prefix\": \"\"}"),
	  { "sources[0].catch_all.prefix: found an unknown key, expected "
	    "maildir or owner" } },
	{ SOURCE("\"catch_all\": {\"maildir\": \"{home}/m\"}"),
	  { "sources[0].catch_all.maildir: found \"{home}/m\", expected an "
	    "owner whose home it is" } },
	{ URL("s3://b/"), { BAD_URL "s3://b/" GOOD_S3 } },
	{ URL("s3://"), { BAD_URL "s3://" GOOD_S3 } },
	{ URL("s3:///p/"), { BAD_URL "s3:///p/" GOOD_S3 } },
	{ URL("s3://a b/"), { BAD_URL "s3://a b/" GOOD_S3 } },
	{ URL("s3://.bucket/"), { BAD_URL "s3://.bucket/" GOOD_S3 } },
	{ URL("s3://bucket?x/"), { BAD_URL "s3://bucket?x/" GOOD_S3 } },
	{ URL("s3://arn:aws:s3:::b/"), { BAD_URL "s3://arn:aws:s3:::b/"
					 GOOD_S3 } },
	{ URL("S3://bucket/"), { BAD_URL "S3://bucket/" ANY_URL } },
	{ URL("https://bucket/"), { BAD_URL "https://bucket/" ANY_URL } },
	{ URL("/srv/"), { BAD_URL "/srv/" ANY_URL } },
	{ URL("file://host/a/"), { BAD_URL "file://host/a/" GOOD_URL } },
	{ URL("file:///a/../b/"), { BAD_URL "file:///a/../b/" GOOD_URL } },
	{ URL("file:///a/%2e%2E/"), { BAD_URL "file:///a/%2e%2E/" GOOD_URL } },
	{ URL("file:///a/%2fb/"), { BAD_URL "file:///a/%2fb/" GOOD_URL } },
	{ URL("file:///a%00/"), { BAD_URL "file:///a%00/" GOOD_URL } },
	{ URL("file:///a%4/"), { BAD_URL "file:///a%4/" GOOD_URL } },
	{ URL("file:///a%"), { BAD_URL "file:///a%" GOOD_URL } },
	{ URL("file:///a/?b/"), { BAD_URL "file:///a/?b/" GOOD_URL } },
	{ URL("file:///a"), { BAD_URL "file:///a\", expected file:///a/ (a "
			      "final slash)" } },
	{ URL("file:///a\xc3\xa4"), { BAD_URL "file:///a\\xc3\\xa4\", expected "
				    "file:///a\\xc3\\xa4/ (a final slash)" } },
	{ URL(""), { BAD_URL ANY_URL } },
	{ SOURCE("\"aws\": {}, \"catch_all\": {\"maildir\": \"/m\"}"),
	  { BAD_URL "file:///s/\", expected s3://BUCKET/PREFIX/ (the source "
	    "has \"aws\")" } },
	{ S3("\"settle\": 60"),
	  { "sources[0].settle: found \"60\", expected nothing (an object in "
	    "S3 is whole as soon as it is there)" } },
	{ AWS("\"connections\": 65"),
	  { "sources[0].aws.connections: found 65, expected an integer from 1 "
	    "to 64" } },
	{ AWS("\"addressing_style\": \"subdomain\""),
	  { "sources[0].aws.addressing_style: found \"subdomain\", expected "
	    "auto, path or virtual" } },
	{ AWS("\"regin\": \"x\""),
	  { "sources[0].aws.regin: found an unknown key, expected region, "
	    "profile, key_file, endpoint_url, addressing_style, ca_bundle, "
	    "use_fips_endpoint, use_dualstack_endpoint, allow_plain_http, "
	    "proxy or connections (did you mean \"region\"?)" } },
	{ AWS("\"region\": \"eu west\""),
	  { "sources[0].aws: cannot use the region eu west: expected letters, "
	    "digits and \"-\", at most 63" } },
	{ AWS("\"endpoint_url\": \"minio:9000\""),
	  { "sources[0].aws: cannot use the endpoint minio:9000: expected "
	    "https://HOST or http://HOST" } },
	{ AWS("\"endpoint_url\": \"http://minio\""),
	  { "sources[0].aws: cannot use the endpoint http://minio: mail would "
	    "travel unencrypted; expected https://, or \"allow_plain_http\": "
	    "true in \"aws\"" } },
	{ AWS("\"endpoint_url\": \"https://a\", \"use_fips_endpoint\": true"),
	  { "sources[0].aws: cannot use the endpoint https://a: use_fips_"
	    "endpoint and use_dualstack_endpoint choose among AWS's own "
	    "endpoints; leave one of them out" } },
	{ AWS("\"profile\": \"\""),
	  { "sources[0].aws: cannot use the profile: expected the name of "
	    "one" } },
	{ AWS("\"profile\": \"a\", \"key_file\": \"/k\""),
	  { "sources[0].aws: cannot use key_file and profile together: each "
	    "says whose keys to use" } },
	{ AWS("\"key_file\": \"k\""),
	  { "sources[0].aws: cannot use the key_file k: expected an absolute "
	    "path, or credential:NAME" } },
	{ AWS("\"key_file\": \"credential:\""),
	  { "sources[0].aws: cannot use the key_file credential:: expected an "
	    "absolute path, or credential:NAME" } },
	{ AWS("\"ca_bundle\": \"ca.pem\""),
	  { "sources[0].aws: cannot use the ca_bundle ca.pem: expected an "
	    "absolute path" } },
	{ AWS("\"proxy\": \"http://u:hidden@p:1\""),
	  { "sources[0].aws: cannot use the proxy: it has a user name or "
	    "password (\"@\"); this file is for all to read" } },
	{ AWS("\"proxy\": \"http://p:1/x\""),
	  { "sources[0].aws: cannot use the proxy http://p:1/x: expected "
	    "http://HOST:PORT or https://HOST:PORT" } },
	{ AWS("\"proxy\": \"socks5://p\""),
	  { "sources[0].aws: cannot use the proxy socks5://p: expected "
	    "http://HOST:PORT or https://HOST:PORT" } },
	{ TWO("s3://bucket/in/", "s3://bucket"),
	  { "sources[1]: found \"s3://bucket/\", expected a prefix apart from "
	    "sources[0]" } },
	{ TWO("s3://bucket/in", "s3://bucket/in/a/b"),
	  { "sources[1]: found \"s3://bucket/in/a/b/\", expected a prefix "
	    "apart from sources[0]" } },
	{ LINE("\"maildir\": \"/m\""),
	  { M0 ": found nothing, expected either prefix or recipient" } },
	{ LINE("\"prefix\": \"a/\", \"recipient\": \"a@b\", \"maildir\": "
	       "\"/m\""),
	  { M0 ": found \"prefix and recipient\", expected either prefix or "
	    "recipient" } },
	{ LINE("\"prefix\": \"a/\""),
	  { M0 ".maildir: found nothing, expected a directory (a string of at "
	    "most 3000 bytes)" } },
	{ LINE("\"recipient\": \"a@b\", \"maildir\": \"/m\""),
	  { M0 ".recipient: found \"a@b\", expected prefix (or \"recipients\": "
	    "\"received\" in the source)" } },
	{ RECEIVED("\"prefix\": \"a/\", \"maildir\": \"/m\""),
	  { M0 ".prefix: found \"a/\", expected recipient (the source has "
	    "\"recipients\": \"received\")" } },
	{ LINE("\"prefix\": \"a\", \"maildir\": \"/m\""),
	  { M0 ".prefix: found \"a" GOOD_PREFIX } },
	{ LINE("\"prefix\": \"/a/\", \"maildir\": \"/m\""),
	  { M0 ".prefix: found \"/a/" GOOD_PREFIX } },
	{ LINE("\"prefix\": \"x{user}/\", \"maildir\": \"/m/{user}\""),
	  { M0 ".prefix: found \"x{user}/" GOOD_USER } },
	{ LINE("\"prefix\": \"{user}/{user}/\", \"maildir\": \"/m/{user}\""),
	  { M0 ".prefix: found \"{user}/{user}/" GOOD_USER } },
	{ LINE("\"prefix\": \"{usr}/\", \"maildir\": \"/m\""),
	  { M0 ".prefix: found \"{usr}/" GOOD_USER } },
	{ LINE("\"prefix\": \"{user}x/\", \"maildir\": \"/m/{user}\""),
	  { M0 ".prefix: found \"{user}x/" GOOD_USER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"m\""),
	  { M0 ".maildir: found \"m" GOOD_MAILDIR } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m/../n\""),
	  { M0 ".maildir: found \"/m/../n" GOOD_MAILDIR } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"{home}x/M\""),
	  { M0 ".maildir: found \"{home}x/M" GOOD_MAILDIR } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/./\""),
	  { M0 ".maildir: found \"/./" GOOD_MAILDIR } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"{home}\", \"owner\": "
	       "\"a\""), { M0 ".maildir: found \"{home}" GOOD_MAILDIR } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"{home}/M\""),
	  { M0 ".maildir: found \"{home}/M\", expected an owner whose home it "
	    "is" } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"{home}/M\", \"owner\": "
	       "\"1:1\""),
	  { M0 ".owner: found \"1:1\", expected a user with a home" } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m/{user}\""),
	  { M0 ".maildir: found \"/m/{user}\", expected no {user}, since there "
	    "is none in the pattern" } },
	{ LINE("\"prefix\": \"{user}/\", \"maildir\": \"/m\""),
	  { M0 ".maildir: found \"/m\", expected {home} or {user} in it: each "
	    "user has a Maildir" } },
	{ LINE("\"prefix\": \"{user}/\", \"maildir\": \"/m/{home}\""),
	  { M0 ".maildir: found \"/m/{home}\", expected no braces but {home} "
	    "in front and {user} once, as a whole path segment" } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/s/m\""),
	  { M0 ".maildir: found \"/s/m" APART } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/s\""),
	  { M0 ".maildir: found \"/s" APART } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": \"root\""),
	  { M0 ".owner: found \"root" GOOD_OWNER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": \"00:5\""),
	  { M0 ".owner: found \"00:5" GOOD_OWNER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": \"5\""),
	  { M0 ".owner: found \"5" GOOD_OWNER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": \"5:\""),
	  { M0 ".owner: found \"5:" GOOD_OWNER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": "
	       "\"4294967295:1\""),
	  { M0 ".owner: found \"4294967295:1" GOOD_OWNER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": "
	       "\"4294967296:1\""),
	  { M0 ".owner: found \"4294967296:1" GOOD_OWNER } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": \"-x\""),
	  { M0 ".owner: found \"-x" GOOD_OWNER } },
	{ RECEIVED("\"recipient\": \"alice\", \"maildir\": \"/m\""),
	  { M0 ".recipient: found \"alice\", expected local@domain" } },
	{ RECEIVED("\"recipient\": \"a@b@c\", \"maildir\": \"/m\""),
	  { M0 ".recipient: found \"a@b@c\", expected local@domain" } },
	{ RECEIVED("\"recipient\": \"<a@b>\", \"maildir\": \"/m\""),
	  { M0 ".recipient: found \"<a@b>\", expected local@domain" } },
	{ RECEIVED("\"recipient\": \"a@{user}\", \"maildir\": \"/{user}\""),
	  { M0 ".recipient: found \"a@{user}\", expected {user} once, as the "
	    "whole local part" } },
	{ RECEIVED("\"recipient\": \"{user}+x@b\", \"maildir\": "
		   "\"/{user}\""),
	  { M0 ".recipient: found \"{user}+x@b\", expected {user} once, as the "
	    "whole local part" } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\"},"
	       "{\"prefix\": \"b/\", \"maildir\": \"/n\"},"
	       "{\"prefix\": \"a/\", \"maildir\": \"/o\""),
	  { "sources[0].mailboxes[2]: found \"a/\", expected another pattern "
	    "than in " M0 } },
	{ RECEIVED("\"recipient\": \"A@b\", \"maildir\": \"/m\"},"
		   "{\"recipient\": \"a@B\", \"maildir\": \"/o\""),
	  { "sources[0].mailboxes[1]: found \"a@B\", expected another pattern "
	    "than in " M0 } },
	{ LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": \"bob\"},"
	       "{\"prefix\": \"b/\", \"maildir\": \"/m/.\", \"owner\": "
	       "\"eve\""),
	  { "sources[0].mailboxes[1]: found \"eve\", expected owner bob as in "
	    M0 ": the Maildir is the same" } },
	{ "{\"sources\": [{\"url\": \"file:///a/\", \"catch_all\": {\"maildir\""
	  ": \"/m\"}}, {\"url\": \"file:///a/b/\", \"catch_all\": {\"maildir\""
	  ": \"/m\"}}]}",
	  { "sources[1]: found \"file:///a/b/\", expected a directory apart "
	    "from sources[0]" } },
	{ "{\"state_dir\": \"x\", \"engine_user\": \"root\", \"sources\": "
	  "[{\"url\": \"file:///s\", \"settle\": 86401, \"catch_all\": "
	  "{\"maildir\": \"/m\"}}]}",
	  { "sources[0].settle: found 86401, expected an integer from 0 to "
	    "86400 seconds",
	    "state_dir: found \"x\", expected an absolute directory without "
	    "\"..\"",
	    "engine_user: found \"root\", expected a user name, not root",
	    BAD_URL "file:///s\", expected file:///s/ (a final slash)" } },
};

static void
names_every_mistake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		char expected[2048] = "";
		struct settings s;
		struct buf mistakes;
		struct err e = { .text = "" };
		size_t at = 0;

		ROW(wrongs[i].text);
		for (size_t k = 0; k < 4 && wrongs[i].says[k] != NULL; k++)
			at += (size_t)snprintf(expected + at,
					       sizeof(expected) - at, "f: %s\n",
					       wrongs[i].says[k]);
		assert_int_equal(parse(&s, wrongs[i].text, &mistakes, &e), -1);
		assert_non_null(mistakes.data);
		assert_string_equal(mistakes.data, expected);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, EX_CONFIG);
		assert_null(s.sources);
		assert_null(s.arena.head);
		buf_free(&mistakes);
	}
}

/* {home} is another place for each owner; two lines may share a Maildir. */
static void
allows_what_only_looks_equal(void **state)
{
	static const char *const fine[] = {
		LINE("\"prefix\": \"a/\", \"maildir\": \"{home}/M\", "
		     "\"owner\": \"alice\"}, {\"prefix\": \"b/\", \"maildir\": "
		     "\"{home}/M\", \"owner\": \"bob\""),
		LINE("\"prefix\": \"a/\", \"maildir\": \"/m\", \"owner\": "
		     "\"alice\"}, {\"prefix\": \"b/\", \"maildir\": \"/m\", "
		     "\"owner\": \"alice\""),
		LINE("\"prefix\": \"\", \"maildir\": \"/ss/m\"}, {\"prefix\": "
		     "\"{user}/\", \"maildir\": \"/m/{user}/x\"}, "
		     "{\"prefix\": \"b/\", \"maildir\": \"/m/..x\""),
		URL("file:///a%25%3F%3f%c3%BC/"),
		S3("\"settle\": 0"),
		AWS(""),
		AWS("\"region\": \"garage\", \"endpoint_url\": "
		    "\"http://localhost:3900\", \"proxy\": \"http://p:1\""),
		TWO("s3://bucket/in/", "s3://bucket/inn/"),
		TWO("s3://bucket/in/", "s3://bucket2/in/"),
		TWO("file:///bucket/in/", "s3://bucket/in/"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fine); i++) {
		struct settings s;
		struct buf mistakes;
		struct err e;

		ROW(fine[i]);
		assert_int_equal(parse(&s, fine[i], &mistakes, &e), 0);
		settings_free(&s);
		buf_free(&mistakes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_every_mistake),
		cmocka_unit_test(allows_what_only_looks_equal),
	};

	return cmocka_run_group_tests_name("settings-check", tests, NULL, NULL);
}
