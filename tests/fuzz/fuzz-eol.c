#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/eol.h"

/* The same, looked at as a whole: no state that could go wrong. */
static size_t
whole(const uint8_t *in, size_t n, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (in[i] != '\r' || i + 1 == n || in[i + 1] != '\n')
			out[at++] = (char)in[i];
	return at;
}

/* The first byte is the size of the pieces, the rest the text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t piece = size > 0 ? data[0] % 16U + 1 : 1;
	const size_t n = size > 0 ? size - 1 : 0;
	char *expected = malloc(n + 1), *got = malloc(n + 2);
	struct eol s = { 0 };
	size_t at = 0;

	PROMISE(expected != NULL && got != NULL);
	for (size_t i = 0; i < n; i += piece) {
		const size_t take = n - i < piece ? n - i : piece;
		char room[17];
		const size_t put =
			eol_convert(&s, (const char *)data + 1 + i, take, room);

		PROMISE(put <= take + 1);
		memcpy(got + at, room, put);
		at += put;
		PROMISE(at <= n);
	}
	at += eol_end(&s, got + at);
	PROMISE(at == whole(data + (size > 0), n, expected));
	PROMISE(memcmp(got, expected, at) == 0);
	free(expected);
	free(got);
	return 0;
}
