#include <config.h>

#include <arpa/inet.h>
#include <string.h>

#include "fuzz.h"
#include "lib/mail/relayed.h"

static void
result_ok(const struct relayed *r)
{
	unsigned char bytes[16];
	const int family = strchr(r->ip, ':') != NULL ? AF_INET6 : AF_INET;

	PROMISE(memchr(r->ip, '\0', sizeof(r->ip)) != NULL);
	PROMISE(memchr(r->helo, '\0', sizeof(r->helo)) != NULL);
	PROMISE(memchr(r->by, '\0', sizeof(r->by)) != NULL);
	PROMISE(inet_pton(family, r->ip, bytes) == 1);
	PROMISE(r->by[0] != '\0');
	PROMISE(strpbrk(r->helo, " \t\r\n;()\\") == NULL);
	PROMISE(strpbrk(r->by, " \t\r\n;()\\") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relayed nothing;
	struct arena a = { NULL };
	struct relayed r;
	struct head h;

	memset(&r, 0xa5, sizeof(r));
	head_read(&h, size > 0 ? (const char *)data : "", size, &a);
	if (relayed_read(&h, &r))
		result_ok(&r);
	else
		PROMISE(memcmp(&r, &nothing, sizeof(r)) == 0);
	arena_free(&a);
	return 0;
}
