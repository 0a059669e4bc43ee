#include <config.h>

#include <string.h>
#include <strings.h>

#include "keep.h"
#include "lib/base/buf.h"

#define PARAMETERS_MAX ((size_t)4096)	/* bytes that are kept of them */

/* "SIZE=100 BODY=8BITMIME"; the address is the first argument. */
static struct keep_address
join(char *const *arguments, struct arena *a)
{
	const bool any = arguments != NULL && arguments[0] != NULL;
	struct keep_address one;
	struct buf all;

	buf_init(&all, PARAMETERS_MAX);
	for (size_t i = 1; any && arguments[i] != NULL; i++)
		buf_printf(&all, "%s%s", i > 1 ? " " : "", arguments[i]);
	one.written = any ? arena_strdup(a, arguments[0]) : "";
	one.parameters = all.data != NULL ? arena_strdup(a, all.data) : "";
	buf_free(&all);
	return one;
}

void
keep_begin(struct keep *k, const char *dir, char *const *arguments,
	   struct arena *a)
{
	*k = (struct keep){ .on = true };
	bulk_begin(&k->bulk, dir);
	hash_begin(&k->fields);
	hash_begin(&k->body);
	k->mail = join(arguments, a);
}

void
keep_recipient(struct keep *k, char *const *arguments, struct arena *a)
{
	struct keep_address *more;

	if (!k->on)
		return;
	if (k->rcpt_n == k->rcpt_room) {
		k->rcpt_room = 2 * (k->rcpt_room + 8);
		more = arena_alloc(a, k->rcpt_room * sizeof(*more));
		if (k->rcpt_n > 0)
			memcpy(more, k->rcpt, k->rcpt_n * sizeof(*more));
		k->rcpt = more;
	}
	k->rcpt[k->rcpt_n++] = join(arguments, a);
}

/* Those that a sender leaves alone when the message is sent again. */
static bool
is_lasting(const char *name)
{
	return strcasecmp(name, "Message-ID") == 0 ||
		strcasecmp(name, "Date") == 0 || strcasecmp(name, "From") == 0;
}

void
keep_field(struct keep *k, const char *name, const char *value, bool blank)
{
	const char *line = value;

	if (!k->on)
		return;
	if (is_lasting(name)) {
		hash_add_field(&k->fields, name, strlen(name));
		hash_add_field(&k->fields, value, strlen(value));
	}
	bulk_add(&k->bulk, name, strlen(name));
	bulk_add(&k->bulk, ": ", blank ? 2 : 1);
	while (*line != '\0') {
		const size_t n = strcspn(line, "\n");

		/* One that is there already is not doubled. */
		bulk_add(&k->bulk, line, n > 0 && line[n] == '\n' &&
			  line[n - 1] == '\r' ? n - 1 : n);
		line += n;
		if (*line == '\n') {
			bulk_add(&k->bulk, "\r\n", 2);
			line++;
		}
	}
	bulk_add(&k->bulk, "\r\n", 2);
}

void
keep_header_end(struct keep *k)
{
	if (k->on)
		bulk_add(&k->bulk, "\r\n", 2);
}

void
keep_body(struct keep *k, const void *data, size_t n)
{
	if (!k->on)
		return;
	hash_add(&k->body, data, n);
	bulk_add(&k->bulk, data, n);
}

void
keep_close(struct keep *k)
{
	uint8_t one[HASH_SIZE];

	if (!k->on || k->closed)
		return;
	hash_end(&k->body, one);
	hash_add_field(&k->fields, one, sizeof(one));
	hash_end(&k->fields, k->same);
	k->closed = true;
}

void
keep_end(struct keep *k)
{
	if (!k->on)
		return;
	bulk_end(&k->bulk);
	hash_free(&k->fields);
	hash_free(&k->body);
	*k = (struct keep){ .on = false };
}
