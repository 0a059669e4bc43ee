/*
 * server - answers on a loopback port what it is told to, one after another,
 * and keeps what it was asked. For tests of HTTP clients.
 */
#ifndef FALLBACKMX_TEST_SERVER_H
#define FALLBACKMX_TEST_SERVER_H

#include "unit.h"

#define SERVER_REQUESTS_MAX 2048

enum server_then {
	SERVER_KEEP,	/* the connection */
	SERVER_CLOSE,
	SERVER_RESET,	/* RST */
	SERVER_STALL,	/* nothing more */
};

struct server_answer {
	const char *bytes;	/* NULL: none */
	enum server_then then;
	int delay_ms;
	size_t pad;		/* so many times "x" behind bytes */
	int drip_ms;		/* and so long between two of them */
};

struct server;

/* The last answer is given again and again. */
struct server *server_new(const struct server_answer *answers, size_t n);
void server_free(struct server *s);

int server_port(const struct server *s);
size_t server_requests(struct server *s);	/* that came whole */
size_t server_connections(struct server *s);	/* accepted */

/* The nth request: its lines with CRLF, then its body. "" if it did not come.
 * Valid until server_free(). */
const char *server_request(struct server *s, size_t n);

#endif
