/*
 * sigv4-private - what the two files of the signer share.
 */
#ifndef FALLBACKMX_SIGV4_PRIVATE_H
#define FALLBACKMX_SIGV4_PRIVATE_H

#include "sigv4.h"

#define SIGV4_TEXT_MAX ((size_t)262144)	/* of a target, of all headers */

void sigv4_add(struct buf *b, const char *text);
void sigv4_ready(struct buf *b);	/* empty, with its maximum */

/* The rule for the path, settled: never SIGV4_PATH_SERVICE. */
enum sigv4_path sigv4_rule(const struct sigv4_request *r);

/* Writes path and query to b; path_n_r: where the query begins. */
int sigv4_target(struct sigv4 *s, const struct sigv4_request *r, struct buf *b,
		 size_t *path_n_r, struct err *e);

#endif
