#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "sync/settings.h"

static void
s3_ok(const struct source_settings *from)
{
	const size_t n = strlen(from->prefix);

	PROMISE(strlen(from->bucket) >= 3 && strlen(from->bucket) <= 63);
	PROMISE(strpbrk(from->bucket, "/ :?#%") == NULL);
	PROMISE(n == 0 || (n <= 1024 && from->prefix[n - 1] == '/'));
	PROMISE(from->settle == 0);
	PROMISE(from->aws->connections >= 1 && from->aws->connections <= 64);
}

/* What the rest of the program relies on without looking again. */
static void
settings_ok(const struct settings *s)
{
	PROMISE(s->engine_user != NULL);
	for (size_t i = 0; i < s->sources_n; i++) {
		const struct source_settings *from = &s->sources[i];

		PROMISE((from->path != NULL) != (from->bucket != NULL));
		PROMISE((from->aws != NULL) == (from->bucket != NULL));
		PROMISE(from->path == NULL || from->path[0] == '/');
		if (from->bucket != NULL)
			s3_ok(from);
		PROMISE(from->settle >= 0 && from->settle <= 86400);
		PROMISE(from->authority != AUTHORITY_NOTIFICATION);
		for (size_t r = 0; r < from->routes_n; r++) {
			const struct route *route = &from->routes[r];

			PROMISE(route->maildir != NULL);
			PROMISE((route->prefix == NULL) !=
				(route->recipient == NULL));
			PROMISE(strstr(route->maildir, "/../") == NULL);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = { 0 };
	struct buf mistakes;
	struct err e = { 0 };
	int r;

	buf_init(&mistakes, 65536);
	r = settings_parse(&s, "f.json", (const char *)data, size, &mistakes,
			   &e);
	if (r == 0)
		settings_ok(&s);
	else
		PROMISE(e.kind == ERR_STOP && s.sources == NULL);
	for (size_t i = 0; i < mistakes.len; i++) {
		const char c = mistakes.data[i];

		PROMISE(c == '\n' || (c >= ' ' && c < 127));
	}
	settings_free(&s);
	buf_free(&mistakes);
	return 0;
}
