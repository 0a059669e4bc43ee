#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/mail/header.h"

/* The first byte is the room, then a name up to its NUL, then a head. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t room = size > 0 ? data[0] % 64U + 1 : 1;
	char name[16] = "Message-ID", *out = malloc(room);
	const uint8_t *end;

	PROMISE(out != NULL);
	if (size > 0) {
		data++;
		size--;
	}
	end = memchr(data, '\0', size < sizeof(name) ? size : sizeof(name));
	if (end != NULL) {
		const size_t n = (size_t)(end - data);

		memcpy(name, data, n + 1);
		data += n + 1;
		size -= n + 1;
	}
	header_find((const char *)data, size, name, out, room);
	PROMISE(memchr(out, '\0', room) != NULL);
	PROMISE(strpbrk(out, "\r\n") == NULL);
	PROMISE(out[0] != ' ' && (out[0] == '\0' ||
				  out[strlen(out) - 1] != ' '));
	free(out);
	return 0;
}
