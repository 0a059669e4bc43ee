#include <config.h>

#include <string.h>
#include <strings.h>

#include "http.h"

const char *
http_header(const struct buf *headers, const char *name)
{
	const char *s = headers->data, *end = s + headers->len;

	while (s < end) {
		const char *value = s + strlen(s) + 1;

		if (strcasecmp(s, name) == 0)
			return value;
		s = value + strlen(value) + 1;
	}
	return NULL;
}
