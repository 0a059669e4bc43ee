#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/mail/decode.h"
#include "lib/mail/mime.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { NULL };
	const char *mail = (const char *)data, *at = mail;
	struct mime m;

	decode_init();
	mime_read(&m, mail, size, &a);
	PROMISE(m.n >= 1 && m.n <= MIME_PARTS_MAX);
	for (size_t i = 0; i < m.n; i++) {
		const struct mime_part *p = &m.all[i];
		struct buf bytes;

		/* One behind the other, in the mail. */
		PROMISE(p->body >= at && p->body_n <= size);
		PROMISE(p->body + p->body_n <= mail + size);
		at = p->body + p->body_n;
		PROMISE(strchr(p->type, '/') != NULL);
		for (const char *c = p->type; *c != '\0'; c++)
			PROMISE(*c > ' ' && *c <= '~');
		buf_init(&bytes, 100);
		PROMISE(mime_decode(p, &bytes) <= p->body_n);
		buf_free(&bytes);
	}
	arena_free(&a);
	return 0;
}
