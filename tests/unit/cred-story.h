/*
 * cred-story - a provider of credentials that asks a service, and the service,
 * which answers step by step. In texts PORT is the service's port and DIR/ the
 * test's directory. There are DIR/token (HIDDENfile) and DIR/token-lf
 * (HIDDENlf and a newline).
 */
#ifndef FALLBACKMX_CRED_STORY_H
#define FALLBACKMX_CRED_STORY_H

#include "cred-help.h"
#include "server.h"

#define ANSWERS_MAX 8

/* One request and its answer. */
struct step {
	const char *request;	/* the request's first line; NULL: no more */
	const char *has;	/* in it; or NULL */
	const char *status;	/* "200 OK" */
	const char *body;
	size_t pad;
	enum server_then then;
};

struct story {
	const char *name;
	struct cred_scene scene;
	struct step steps[ANSWERS_MAX];
	const char *key;	/* NULL: there are none */
	const char *says;	/* part of the error, or of the source */
	const char *region;	/* afterwards; NULL: not asked */
};

/* Plays each of them: the requests are those, in that order, and no others;
 * what comes out is as it should be, and no secret is shown. */
void story_play(const char *dir, const struct story *stories, size_t n);

/* The text with port and directory. */
const char *story_place(struct arena *a, const char *text, const char *dir,
			int port);

#define END "2026-11-22T09:00:00Z"
#define SECRETS "\"AccessKeyId\": \"AKGIVEN\", \"SecretAccessKey\": "	\
		"\"HIDDEN\", \"Token\": \"HIDDEN==\", \"Expiration\": \""
#define INSTANCE "{\"Code\": \"Success\", " SECRETS END "\"}"
#define CONTAINER "{" SECRETS END "\"}"
#define HERE "http://127.0.0.1:PORT"
#define METADATA "AWS_EC2_METADATA_SERVICE_ENDPOINT=" HERE
#define TOKEN { "PUT /latest/api/token HTTP/1.1",			\
		"\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r",	\
		"200 OK", "AQAEHIDDEN==", 0, SERVER_KEEP }
#define WITH "\nX-aws-ec2-metadata-token: AQAEHIDDEN==\r"
#define BASE "GET /latest/meta-data/iam/security-credentials/"
#define ROLE { BASE " HTTP/1.1", WITH, "200 OK", "mailer", 0, SERVER_KEEP }
#define NO(request, status, body) { request " HTTP/1.1", WITH, status, body, \
				    0, SERVER_KEEP }

#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI="
#define ASKED(has, status, body) { "GET /creds?x=1 HTTP/1.1", has, status, \
				   body, 0, SERVER_KEEP }
#define FILE_OF "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="


#endif
