/*
 * creds - what a request is signed with. A plain struct: whoever holds one
 * cleanses it (OPENSSL_cleanse) when done, and shows of it the access key at
 * most.
 */
#ifndef FALLBACKMX_CREDS_H
#define FALLBACKMX_CREDS_H

#include <stdint.h>

struct aws_creds {
	char access_key[136];
	char secret_key[136];
	char token[8192];	/* of the session; "" if there is none */
	int64_t expires;	/* seconds since 1970; 0: never */
};

#endif
