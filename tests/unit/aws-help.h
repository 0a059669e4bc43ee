/*
 * aws-help - a client of a server that does as it is told, with a clock that
 * does not tick by itself and credentials that can be renewed.
 */
#ifndef FALLBACKMX_AWS_HELP_H
#define FALLBACKMX_AWS_HELP_H

#include "lib/aws/aws.h"
#include "server.h"
#include "unit.h"

#define AWS_NOW 1369353600	/* Fri, 24 May 2013 00:00:00 GMT */
#define DELAYS_MAX 64

struct cred {
	struct aws_creds creds;
	int asked, renewed;
	bool refuses;		/* to renew; asked: to give */
};

struct world {
	struct server *server;
	struct cred cred;
	double now;		/* monotonic */
	double delays[DELAYS_MAX];	/* that were waited for */
	int delays_n;
	struct endpoint endpoint;
	struct aws_place place;
	struct aws *aws;
};

/* Answers as server_new() takes them. Change place and endpoint, then open. */
void world_begin(struct world *w, const struct server_answer *answers,
		 size_t n);
void world_open(struct world *w);
void world_end(struct world *w);

/* A call that keeps what it gets; begun counts begin(). */
struct object {
	struct aws_call call;
	char body[4096];
	size_t body_n;
	int begun, finished, done;
	int begin_fails, data_fails, finish_fails;	/* so many times */
	enum err_kind kind;	/* with that */
};

void object_get(struct object *o, const char *key, uint64_t expected);
void world_run(struct world *w);	/* until all is done */

#endif
