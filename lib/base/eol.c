#include <config.h>

#include <string.h>

#include "eol.h"

size_t
eol_convert(struct eol *s, const char *in, size_t n, char *out)
{
	const char *end = in + n;
	char *to = out;

	if (n == 0)
		return 0;
	if (s->cr && *in != '\n')
		*to++ = '\r';
	s->cr = false;
	while (in < end) {
		const char *cr = memchr(in, '\r', (size_t)(end - in));
		size_t plain = (size_t)((cr ? cr : end) - in);

		memcpy(to, in, plain);
		to += plain;
		in += plain;
		if (cr == NULL)
			break;
		in++;
		if (in == end)
			s->cr = true;
		else if (*in != '\n')
			*to++ = '\r';
	}
	return (size_t)(to - out);
}

size_t
eol_end(struct eol *s, char *out)
{
	if (!s->cr)
		return 0;
	s->cr = false;
	*out = '\r';
	return 1;
}
