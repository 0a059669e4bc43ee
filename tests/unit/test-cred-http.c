#include <config.h>

#include "cred-story.h"

static const struct story instance[] = {
	{ "all goes well", { .env = { METADATA "/", "AWS_REGION=r-1" } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", INSTANCE) },
	  "AKGIVEN", "the role mailer of this instance", "r-1" },
	{ "the region is learned", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", INSTANCE),
	    NO("GET /latest/meta-data/placement/region", "200 OK",
	       "eu-west-1") },
	  "AKGIVEN", "the role mailer", "eu-west-1" },
	{ "no region", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", INSTANCE),
	    NO("GET /latest/meta-data/placement/region", "404 No", "<html>") },
	  "AKGIVEN", "the role mailer", "us-east-1" },
	/* Never version 1: without a token nothing more is asked. */
	{ "403 for the token", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "403 Forbidden", "", 0,
	      SERVER_KEEP } }, NULL, "gives no token (it answers 403)", NULL },
	{ "404 for the token", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "404 Not Found", "<html>",
	      0, SERVER_KEEP } }, NULL, "gives no token (it answers 404)",
	  NULL },
	{ "HTML for the token", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "200 OK",
	      "<html>HIDDEN</html>", 0, SERVER_KEEP } }, NULL,
	  "something else than a token", NULL },
	{ "line ends in the token", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "200 OK",
	      "HIDDEN\r\nX: y", 0, SERVER_KEEP } }, NULL,
	  "something else than a token", NULL },
	{ "an empty token", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "200 OK", "", 0,
	      SERVER_KEEP } }, NULL, "something else than a token", NULL },
	{ "a redirect", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "301 Moved\r\n"
	      "Location: http://127.0.0.1:PORT/evil", "", 0, SERVER_KEEP } },
	  NULL, "gives no token (it answers 301)", NULL },
	{ "silence", { .env = { METADATA } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, NULL, NULL, 0,
	      SERVER_STALL } }, NULL, "metadata service does not answer",
	  NULL },
	{ "no role", { .env = { METADATA } },
	  { TOKEN, NO(BASE, "404 Not Found", "") }, NULL,
	  "the instance has no role", NULL },
	{ "HTML for the role", { .env = { METADATA } },
	  { TOKEN, NO(BASE, "200 OK", "<html>HIDDEN") }, NULL,
	  "something else than the name of a role", NULL },
	{ "a path for the role", { .env = { METADATA } },
	  { TOKEN, NO(BASE, "200 OK", "../../x") }, NULL,
	  "something else than the name of a role", NULL },
	{ "HTML for the keys", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", "<html>HIDDEN") }, NULL,
	  "expected a JSON object", NULL },
	{ "404 for the keys", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "404 Not Found", INSTANCE) }, NULL,
	  "metadata service: it answers 404", NULL },
	{ "500 for the keys", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "500 Oh", "HIDDEN") }, NULL,
	  "metadata service: it answers 500", NULL },
	{ "10 MB for the keys", { .env = { METADATA } },
	  { TOKEN, ROLE, { BASE "mailer HTTP/1.1", WITH, "200 OK", "HIDDEN",
			   10000000, SERVER_KEEP } }, NULL,
	  "cannot use the instance's metadata service: ", NULL },
	{ "100 KB for the keys", { .env = { METADATA } },
	  { TOKEN, ROLE, { BASE "mailer HTTP/1.1", WITH, "200 OK", "HIDDEN",
			   100000, SERVER_KEEP } }, NULL,
	  "the answer has more than 65536 bytes", NULL },
	{ "no success", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", "{\"Code\": \"Failed\", "
			    SECRETS END "\"}") }, NULL,
	  "the code is Failed, expected Success", NULL },
	{ "expired", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", "{\"Code\": \"Success\", "
			    SECRETS "2026-11-22T02:00:00Z\"}"),
	    NO("GET /latest/meta-data/placement/region", "404 No", "") }, NULL,
	  "they ended 60 minutes ago; is the clock of this machine", NULL },
	{ "no end", { .env = { METADATA } },
	  { TOKEN, ROLE, NO(BASE "mailer", "200 OK", "{\"Code\": \"Success\", "
			    SECRETS "\"}") }, NULL, "expected an Expiration",
	  NULL },
	{ "switched off", { .env = { METADATA,
				     "AWS_EC2_METADATA_DISABLED=TRUE" } },
	  { { .request = NULL } }, NULL, "AWS_EC2_METADATA_DISABLED is true",
	  NULL },
	{ "elsewhere", { .env = { "AWS_EC2_METADATA_SERVICE_ENDPOINT="
				  "http://192.0.2.1/" } },
	  { { .request = NULL } }, NULL, "expected an address of the instance",
	  NULL },
	{ "by the profile", { .config = "[default]\n"
			      "ec2_metadata_service_endpoint = " HERE "\n",
			      .env = { "AWS_EC2_METADATA_DISABLED=false" } },
	  { { "PUT /latest/api/token HTTP/1.1", NULL, "403 Forbidden", "", 0,
	      SERVER_KEEP } }, NULL, "gives no token", NULL },
	/* Keys of a profile go first: nothing is asked. */
	{ "not needed", { .env = { METADATA }, .keys = "[default]\n"
			  "aws_access_key_id = AKFILE\n"
			  "aws_secret_access_key = HIDDEN\n" },
	  { { .request = NULL } }, "AKFILE", "profile default", NULL },
};

static const struct story container[] = {
	{ "all goes well", { .env = { FULL HERE "/creds?x=1" } },
	  { ASKED(NULL, "200 OK", CONTAINER) }, "AKGIVEN",
	  "the container's credentials service at 127.0.0.1", NULL },
	{ "with a token", { .env = { FULL HERE "/creds?x=1",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic HIDDEN" } },
	  { ASKED("\nAuthorization: Basic HIDDEN\r", "200 OK", CONTAINER) },
	  "AKGIVEN", "the container's", NULL },
	{ "with a token in a file", { .env = { FULL HERE "/creds?x=1",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=other",
		FILE_OF "DIR/token" } },
	  { ASKED("\nAuthorization: HIDDENfile\r", "200 OK", CONTAINER) },
	  "AKGIVEN", "the container's", NULL },
	{ "it goes before the instance", { .env = { METADATA,
		FULL HERE "/creds?x=1" } },
	  { ASKED(NULL, "200 OK", CONTAINER) }, "AKGIVEN", "container", NULL },
	{ "refused", { .env = { FULL HERE "/creds?x=1" } },
	  { ASKED(NULL, "403 No", "{\"code\": \"x\", \"m\": \"HIDDEN\"}") },
	  NULL, "127.0.0.1: it answers 403", NULL },
	{ "an error with 200", { .env = { FULL HERE "/creds?x=1" } },
	  { ASKED(NULL, "200 OK", "{\"code\": \"AccessDenied\"}") },
	  NULL, "answers: AccessDenied", NULL },
	{ "no end", { .env = { FULL HERE "/creds?x=1" } },
	  { ASKED(NULL, "200 OK", "{" SECRETS "\"}") },
	  NULL, "expected an Expiration", NULL },
	{ "a line end in the token", { .env = { FULL HERE "/creds?x=1",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=HIDDEN\r\nX: y" } },
	  { { .request = NULL } }, NULL, "it has line ends or is too long",
	  NULL },
	{ "a line end in the file", { .env = { FULL HERE "/creds?x=1",
		FILE_OF "DIR/token-lf" } },
	  { { .request = NULL } }, NULL, "TOKEN_FILE: it has line ends", NULL },
	{ "no file", { .env = { FULL HERE "/creds?x=1",
				FILE_OF "/nonexistent" } },
	  { { .request = NULL } }, NULL, "there is none", NULL },
	{ "in clear to elsewhere", { .env = {
		FULL "http://192.0.2.1/creds",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=HIDDEN" } },
	  { { .request = NULL } }, NULL, "expected https, or a host of the "
	  "container service", NULL },
	{ "a name that looks like it", { .env = {
		FULL "http://169.254.170.2.example/creds" } },
	  { { .request = NULL } }, NULL, "expected https, or a host", NULL },
	{ "a user in the URL", { .env = {
		FULL "http://169.254.170.2@192.0.2.1/creds" } },
	  { { .request = NULL } }, NULL, "a user name or password", NULL },
	{ "no URL", { .env = { FULL "/creds" } }, { { .request = NULL } }, NULL,
	  "expected http://HOST/PATH", NULL },
	{ "a line end in the URL", { .env = { FULL HERE "/x\r\nX: y" } },
	  { { .request = NULL } }, NULL, "expected http://HOST/PATH", NULL },
	{ "a relative path that is none", { .env = {
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=@192.0.2.1/" } },
	  { { .request = NULL } }, NULL, "expected /PATH", NULL },
};

static void
asks_the_instance(const char *dir)
{
	story_play(dir, instance, COUNT(instance));
}

static void
asks_the_container(const char *dir)
{
	story_play(dir, container, COUNT(container));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(asks_the_instance),
		plain_unit_test(asks_the_container),
	};

	return cmocka_run_group_tests_name("cred-http", tests, NULL, NULL);
}
