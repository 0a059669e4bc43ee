#include <config.h>

#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "lib/mail/address.h"
#include "lib/mail/decode.h"

/* An address that was read is read again, as itself. */
static void
address_ok(const char *address, struct arena *a)
{
	const char *at = strrchr(address, '@');
	struct addresses again;
	bool found = false;

	PROMISE(at != NULL && at > address && at[1] != '\0');
	address_read(address, &again, a);
	PROMISE(again.malformed || again.n > 0);
	for (size_t i = 0; i < again.n; i++)
		found |= strcasecmp(again.all[i], address) == 0;
	PROMISE(again.malformed || found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { NULL };
	char *value = arena_alloc(&a, size + 1);
	struct addresses r;

	decode_init();
	if (size > 0)
		memcpy(value, data, size);
	address_read(value, &r, &a);
	PROMISE(r.n <= 3 * ADDRESSES_MAX || r.malformed);
	for (size_t i = 0; i < r.n; i++)
		address_ok(r.all[i], &a);
	arena_free(&a);
	return 0;
}
