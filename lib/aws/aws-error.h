/*
 * aws-error - the <Error> that a service answers with.
 */
#ifndef FALLBACKMX_AWS_ERROR_H
#define FALLBACKMX_AWS_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#define AWS_ERROR_MAX ((size_t)65536)	/* bytes looked at */

struct aws_error {
	char code[64];		/* letters, digits, "._-"; "" if there is
				 * none */
	char message[256];	/* foreign bytes */
	char region[64];	/* of the bucket, where the answer tells */
};

/*
 * Reads <Error> as the root or below <ErrorResponse> (S3 API, "Error
 * responses"). False if text is no XML, as when a proxy answers; what was
 * found until then is kept. A document with a DOCTYPE is not read.
 */
bool aws_error_read(struct aws_error *r, const char *text, size_t n);

/* Does a document begin with the root <Error>? S3 may answer 200 so. */
enum aws_root {
	AWS_ROOT_UNKNOWN,	/* too short to tell */
	AWS_ROOT_ERROR,
	AWS_ROOT_OTHER,
};

enum aws_root aws_error_root(const char *text, size_t n);

#endif
