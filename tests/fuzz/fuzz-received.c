#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/mail/received.h"

static void
address_ok(const char *s, size_t room)
{
	const char *at = strchr(s, '@');

	PROMISE(memchr(s, '\0', room) != NULL);
	if (*s == '\0')
		return;
	PROMISE(at != NULL && strchr(at + 1, '@') == NULL);
	for (; *s != '\0'; s++)
		PROMISE(*s > ' ' && *s < 127 && strchr("\"<>", *s) == NULL);
}

static void
result_ok(const struct received *r)
{
	PROMISE(memchr(r->id, '\0', sizeof(r->id)) != NULL);
	for (const char *s = r->id; *s != '\0'; s++)
		PROMISE((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
			(*s >= 'A' && *s <= 'Z') || strchr("._-", *s) != NULL);
	address_ok(r->recipient, sizeof(r->recipient));
	address_ok(r->sender, sizeof(r->sender));
	/* 2000-01-01 and 2100-01-01 */
	PROMISE(r->arrival == 0 ||
		(r->arrival >= 946684800 && r->arrival <= 4102444800));
	if (!r->found)
		PROMISE(*r->id == '\0' && *r->recipient == '\0' &&
			*r->sender == '\0' && r->arrival == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct received r;

	memset(&r, 0xa5, sizeof(r));
	received_read((const char *)data, size, &r);
	result_ok(&r);
	return 0;
}
