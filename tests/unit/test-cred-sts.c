#include <config.h>

#include "cred-story.h"

#define STS "AWS_ENDPOINT_URL_STS=" HERE
#define BASEKEYS "aws_access_key_id = AKBASE\n"				\
		 "aws_secret_access_key = HIDDEN\n"
#define ARN "arn:aws:iam::123456789012:role/mailer"
#define ROLES(lines) "[default]\nregion = eu-west-1\nrole_arn = " ARN "\n" lines
#define CREDS(action, key) "<" action "Response xmlns=\"https://sts."	\
	"amazonaws.com/doc/2011-06-15/\"><" action "Result><AssumedRoleUser>" \
	"<Arn>x</Arn></AssumedRoleUser><Credentials><AccessKeyId>" key	\
	"</AccessKeyId><SecretAccessKey>HIDDEN</SecretAccessKey>"	\
	"<SessionToken>HIDDEN==</SessionToken><Expiration>" END		\
	"</Expiration></Credentials></" action "Result></" action "Response>"
#define FORM "\r\n\r\nVersion=2011-06-15&Action=AssumeRole&RoleArn=arn%3Aaws" \
	     "%3Aiam%3A%3A123456789012%3Arole%2Fmailer&RoleSessionName="
#define POST(has, status, body) { "POST / HTTP/1.1", has, status, body, 0, \
				  SERVER_KEEP }
#define REFUSED(code) "<ErrorResponse><Error><Type>Sender</Type><Code>" code \
		      "</Code><Message>not you</Message></Error>"	\
		      "<RequestId>1</RequestId></ErrorResponse>"

static const struct story role[] = {
	{ "of another profile", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(FORM "fallbackmx", "200 OK", CREDS("AssumeRole", "AKROLE")) },
	  "AKROLE", "role " ARN " of profile default", NULL },
	{ "signed", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS "aws_session_token = HIDDENT\n" },
	  { POST("\nAuthorization: AWS4-HMAC-SHA256 Credential=AKBASE/20261122/"
		 "eu-west-1/sts/aws4_request, ", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) }, "AKROLE", "role", NULL },
	{ "with all words", { .env = { STS },
		.config = ROLES("source_profile = base\nexternal_id = a b&c\n"
				"duration_seconds = 900\n"
				"role_session_name = me\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(FORM "me&ExternalId=a%20b%26c&DurationSeconds=900", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) }, "AKROLE", "role", NULL },
	{ "of itself", { .env = { STS },
		.config = ROLES("source_profile = default\n" BASEKEYS) },
	  { POST("Credential=AKBASE/", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) }, "AKROLE", "role", NULL },
	{ "of another role", { .env = { STS },
		.config = ROLES("source_profile = middle\n")
			"[profile middle]\nrole_arn = arn:middle\n"
			"source_profile = base\n",
		.keys = "[base]\n" BASEKEYS },
	  { POST("&RoleArn=arn%3Amiddle&", "200 OK",
		 CREDS("AssumeRole", "AKMIDDLE")),
	    POST("Credential=AKMIDDLE/", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) },
	  "AKROLE", "role " ARN " of profile default", NULL },
	{ "of the environment", { .own = { .profile = "default" },
		.env = { STS, "AWS_ACCESS_KEY_ID=AKENV",
			 "AWS_SECRET_ACCESS_KEY=HIDDEN" },
		.config = ROLES("credential_source = Environment\n") },
	  { POST("Credential=AKENV/", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) }, "AKROLE", "role", NULL },
	{ "of the container", { .env = { STS, FULL HERE "/creds?x=1" },
		.config = ROLES("credential_source = EcsContainer\n") },
	  { ASKED(NULL, "200 OK", CONTAINER),
	    POST("\nx-amz-security-token: HIDDEN==\r", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) }, "AKROLE", "role", NULL },
	{ "of the instance", { .env = { STS, METADATA },
		.config = ROLES("credential_source = Ec2InstanceMetadata\n") },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", INSTANCE),
	    POST("Credential=AKGIVEN/", "200 OK",
		 CREDS("AssumeRole", "AKROLE")) }, "AKROLE", "role", NULL },
	{ "refused", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "403 Forbidden", REFUSED("AccessDenied")) }, NULL,
	  "cannot assume the role " ARN " of profile default: 127.0.0.1:PORT "
	  "answers 403 AccessDenied: not you", NULL },
	{ "a wrong clock", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "403 Forbidden\r\nDate: Sun, 22 Nov 2026 04:00:00 GMT",
		 REFUSED("SignatureDoesNotMatch")) }, NULL,
	  "the clock of this machine is 60 minutes behind", NULL },
	{ "busy, then not", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "503 Slow", ""), POST(NULL, "400 Bad",
					     REFUSED("Throttling")),
	    POST(NULL, "200 OK", CREDS("AssumeRole", "AKROLE")) }, "AKROLE",
	  "role", NULL },
	{ "three times busy", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "503 Slow", ""), POST(NULL, "500 Oh", ""),
	    POST(NULL, "502 Bad", "<html>HIDDEN") }, NULL, "answers 502",
	  NULL },
	{ "HTML", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "200 OK", "<html><br>HIDDEN") }, NULL,
	  "expected its XML", NULL },
	{ "a DOCTYPE", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "200 OK", "<!DOCTYPE x>" CREDS("AssumeRole", "A")) },
	  NULL, "expected its XML", NULL },
	{ "no keys in it", { .env = { STS },
		.config = ROLES("source_profile = base\n"),
		.keys = "[base]\n" BASEKEYS },
	  { POST(NULL, "200 OK", "<AssumeRoleResponse/>") }, NULL,
	  "the access key is empty", NULL },
	{ "a loop", { .env = { STS },
		.config = ROLES("source_profile = a\n")
			"[profile a]\nrole_arn = x\nsource_profile = b\n"
			"[profile b]\nrole_arn = x\nsource_profile = a\n" },
	  { { .request = NULL } }, NULL, "source_profile a leads back to "
	  "itself", NULL },
	{ "a loop of one", { .env = { STS },
		.config = ROLES("source_profile = default\n") },
	  { { .request = NULL } }, NULL, "leads back to itself", NULL },
	{ "too many", { .env = { STS },
		.config = ROLES("source_profile = a\n")
			"[profile a]\nrole_arn = x\nsource_profile = b\n"
			"[profile b]\nrole_arn = x\nsource_profile = c\n"
			"[profile c]\nrole_arn = x\nsource_profile = d\n"
			"[profile d]\nrole_arn = x\nsource_profile = e\n"
			"[profile e]\nrole_arn = x\nsource_profile = f\n"
			"[profile f]\n" BASEKEYS },
	  { { .request = NULL } }, NULL, "too many roles", NULL },
	{ "no source", { .env = { STS }, .config = ROLES("") },
	  { { .request = NULL } }, NULL, "expected either source_profile or "
	  "credential_source", NULL },
	{ "two sources", { .env = { STS },
		.config = ROLES("source_profile = default\n"
				"credential_source = Environment\n") },
	  { { .request = NULL } }, NULL, "expected either source_profile",
	  NULL },
	{ "a source that is none", { .env = { STS },
		.config = ROLES("credential_source = Moon\n") },
	  { { .request = NULL } }, NULL, "expected a credential_source of",
	  NULL },
	{ "nothing in the source", { .env = { STS },
		.config = ROLES("source_profile = empty\n")
			"[profile empty]\nregion = x\n" },
	  { { .request = NULL } }, NULL, "source_profile empty has no", NULL },
	{ "no such profile", { .env = { STS },
		.config = ROLES("source_profile = lost\n") },
	  { { .request = NULL } }, NULL, "there is no source_profile lost",
	  NULL },
	{ "somebody must type", { .env = { STS },
		.config = ROLES("source_profile = base\nmfa_serial = x\n"),
		.keys = "[base]\n" BASEKEYS },
	  { { .request = NULL } }, NULL, "mfa_serial needs somebody", NULL },
	{ "too short", { .env = { STS },
		.config = ROLES("source_profile = base\n"
				"duration_seconds = 60\n"),
		.keys = "[base]\n" BASEKEYS },
	  { { .request = NULL } }, NULL, "duration_seconds from 900", NULL },
};

#define WEB "\r\n\r\nVersion=2011-06-15&Action=AssumeRoleWithWebIdentity&"    \
	    "RoleArn=arn%3Ax&RoleSessionName="
#define WEBFILE "AWS_WEB_IDENTITY_TOKEN_FILE=DIR/token"

static const struct story web[] = {
	{ "of the environment", { .env = { STS, WEBFILE, "AWS_ROLE_ARN=arn:x",
					   "AWS_ROLE_SESSION_NAME=pod" } },
	  { POST(WEB "pod&WebIdentityToken=HIDDENfile", "200 OK",
		 CREDS("AssumeRoleWithWebIdentity", "AKWEB")) }, "AKWEB",
	  "role arn:x by web identity", NULL },
	{ "of the profile", { .env = { STS },
		.config = "[default]\nweb_identity_token_file = DIR/token-lf\n"
			  "role_arn = arn:x\n" },
	  { POST(WEB "fallbackmx&WebIdentityToken=HIDDENlf", "200 OK",
		 CREDS("AssumeRoleWithWebIdentity", "AKWEB")) }, "AKWEB",
	  "role arn:x by web identity", NULL },
	{ "not for a profile that is asked for",
	  { .own = { .profile = "default" },
	    .env = { STS, WEBFILE, "AWS_ROLE_ARN=arn:x" },
	    .config = "[default]\nregion = x\n" },
	  { { .request = NULL } }, NULL, "cannot find credentials", NULL },
	{ "no role", { .env = { STS, WEBFILE } }, { { .request = NULL } }, NULL,
	  "there is no role_arn", NULL },
	{ "no file", { .env = { STS, "AWS_ROLE_ARN=arn:x",
		"AWS_WEB_IDENTITY_TOKEN_FILE=/nonexistent" } },
	  { { .request = NULL } }, NULL, "web identity /nonexistent: there is "
	  "none", NULL },
	{ "refused", { .env = { STS, WEBFILE, "AWS_ROLE_ARN=arn:x" } },
	  { POST(NULL, "400 Bad Request", REFUSED("ExpiredTokenException")) },
	  NULL, "answers 400 ExpiredTokenException: not you", NULL },
};

static void
assumes_a_role(const char *dir)
{
	story_play(dir, role, COUNT(role));
}

static void
assumes_a_role_by_web_identity(const char *dir)
{
	story_play(dir, web, COUNT(web));
}

static void
asks_who_it_is(const char *dir)
{
	static const struct server_answer answer = {
		.bytes =
		"HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n"
		"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:"
		"me</Arn></GetCallerIdentityResult></GetCallerIdentityResponse"
		">",
	};
	struct server *server = server_new(&answer, 1);
	struct arena a = { NULL };
	const struct cred_scene scene = {
		.env = { story_place(&a, STS, dir, server_port(server)) },
		.keys = "[default]\n" BASEKEYS,
	};
	struct err e = { .text = "" };
	struct cred *c = cred_scene(dir, &scene, &e);
	char arn[128];

	assert_int_equal(cred_identity(c, CRED_NOW, arn, sizeof(arn), &e), 0);
	assert_string_equal(arn, "arn:me");
	assert_non_null(strstr(server_request(server, 0),
			       "\r\n\r\nVersion=2011-06-15&Action="
			       "GetCallerIdentity"));
	cred_scene_end(c);
	server_free(server);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(assumes_a_role),
		plain_unit_test(assumes_a_role_by_web_identity),
		plain_unit_test(asks_who_it_is),
	};

	return cmocka_run_group_tests_name("cred-sts", tests, NULL, NULL);
}
