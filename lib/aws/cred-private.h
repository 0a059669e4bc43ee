/*
 * cred-private - what cred.c (chain, renewal) and the providers share.
 */
#ifndef FALLBACKMX_CRED_PRIVATE_H
#define FALLBACKMX_CRED_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "aws-config-private.h"
#include "cred.h"
#include "http.h"

#define CRED_ANSWER_MAX ((size_t)65536)	/* bytes of any answer */
#define CRED_ROLES_MAX 5		/* roles assumed one from another */

enum cred_result {
	CRED_FOUND,
	CRED_NONE,		/* this provider has nothing: ask the next */
	CRED_FAILED,		/* it should have, and has not: e says why */
};

struct cred {
	struct aws_config *config;
	const struct cred_provider *provider;	/* that had some; or NULL */
	struct aws_creds creds;
	bool have;
	char source[640];
	char word[1200];	/* for cred_word(); "" = none */
	char none[256];		/* why the last provider had nothing */
	int64_t tried, renewed;	/* when; 0: never */
	int64_t again;		/* not asked before that, when it failed and */
	struct err why;		/* there are no valid ones: so it is */
	/* Of the attempt at hand. */
	int64_t now;
	double deadline;	/* on the monotonic clock */
	const char *visited[CRED_ROLES_MAX];	/* profiles */
	size_t visited_n;
};

struct cred_provider {
	const char *name;
	bool environment;	/* skipped when a profile is asked for */
	/* Fills creds and source. */
	enum cred_result (*get)(struct cred *c, const char *profile,
				struct aws_creds *out, struct err *e);
};

enum cred_result cred_key_file(struct cred *c, const char *profile,
			       struct aws_creds *out, struct err *e);
enum cred_result cred_environment(struct cred *c, const char *profile,
				  struct aws_creds *out, struct err *e);
enum cred_result cred_role(struct cred *c, const char *profile,
			   struct aws_creds *out, struct err *e);
enum cred_result cred_web_identity(struct cred *c, const char *profile,
				   struct aws_creds *out, struct err *e);
enum cred_result cred_credentials_file(struct cred *c, const char *profile,
				       struct aws_creds *out, struct err *e);
enum cred_result cred_process(struct cred *c, const char *profile,
			      struct aws_creds *out, struct err *e);
enum cred_result cred_config_file(struct cred *c, const char *profile,
				  struct aws_creds *out, struct err *e);
enum cred_result cred_sign_in(struct cred *c, const char *profile,
			      struct aws_creds *out, struct err *e);
enum cred_result cred_container(struct cred *c, const char *profile,
				struct aws_creds *out, struct err *e);
enum cred_result cred_instance(struct cred *c, const char *profile,
			       struct aws_creds *out, struct err *e);

/* Asks the providers of a profile alone, for a role's source_profile. */
enum cred_result cred_of_profile(struct cred *c, const char *profile,
				 struct aws_creds *out, struct err *e);

/* Checks and copies one set; token may be NULL. FAILED when a value can be
 * none; from says where it stands. */
enum cred_result cred_fill(struct aws_creds *out, const char *key,
			   const char *secret, const char *token,
			   const char *from, struct err *e);

/* Starts the clock of an attempt. */
void cred_begin(struct cred *c, int seconds);

/* Seconds that a provider may take now, at most limit, at least 1. */
int cred_seconds(const struct cred *c, int limit);

/* ISO 8601 as AWS writes it, "2026-11-22T03:00:00Z"; -1: not that. */
int64_t cred_time(const char *text);

enum cred_json {
	CRED_JSON_PROCESS,	/* credential_process: "Version": 1 */
	CRED_JSON_CONTAINER,
	CRED_JSON_INSTANCE,	/* "Code": "Success" */
};

/* An answer in JSON; from is who gave it. On failure out is wiped. */
int cred_json(enum cred_json kind, const char *text, size_t n,
	      const char *from, struct aws_creds *out, struct err *e);

/* http_fetch() with what this machine's own services need: no proxy, answers
 * of at most CRED_ANSWER_MAX. Free r, wiped, with cred_answer_free(). */
int cred_fetch(const char *method, const char *url, const char *const *lines,
	       int seconds, struct http_answer *r, struct err *e);
void cred_answer_free(struct http_answer *r);

/* FAILED with "...: SERVICE answers 500" and no bytes of the answer. */
enum cred_result cred_answered(const struct http_answer *r, const char *from,
			       struct err *e);

#endif
