#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>

#include "archive-filter.h"
#include "lib/base/text.h"
#include "lib/mail/decode.h"
#include "lib/mail/head.h"

/* The header section is somewhere in these first bytes (HEAD_BYTES_MAX). */
#define LOOKED_AT ((size_t)1 << 20)

static int
read_time(const char *text, const char *option, int64_t *us_r, struct err *e)
{
	struct tm tm = { .tm_mday = 1 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end != NULL && *end == 'T')
		end = strptime(end, "T%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return err_stop(e, EX_USAGE, "cannot use --%s %s: expected a "
				"time in UTC, 2026-11-22 or "
				"2026-11-22T10:00:00Z", option,
				text_show(text));
	*us_r = (int64_t)timegm(&tm) * 1000000;
	return 0;
}

int
filter_make(struct filter *f_r, const struct select *given, struct err *e)
{
	*f_r = (struct filter){ .given = given, .since_us = INT64_MIN,
				.until_us = INT64_MAX };
	for (size_t i = 0; i < given->header.n; i++) {
		const char *equals = strchr(given->header.all[i], '=');

		if (equals == NULL || equals == given->header.all[i])
			return err_stop(e, EX_USAGE, "cannot use --header %s: "
					"expected NAME=TEXT",
					text_show(given->header.all[i]));
	}
	if (given->header.n > 0)
		decode_init();
	if (given->since != NULL &&
	    read_time(given->since, "since", &f_r->since_us, e) < 0)
		return -1;
	if (given->until != NULL &&
	    read_time(given->until, "until", &f_r->until_us, e) < 0)
		return -1;
	return 0;
}

void
filter_free(struct filter *f)
{
	f->given = NULL;
}

bool
filter_time(const struct filter *f, const struct format_record *r)
{
	return r->time_us >= f->since_us && r->time_us < f->until_us;
}

static bool
contains(const char *text, const char *wanted)
{
	return wanted == NULL || strcasestr(text, wanted) != NULL;
}

/* Texts stand in JSON as they are when it has no backslash and no base64. */
static bool
may_hold(const char *metadata, const char *wanted)
{
	return wanted == NULL || strcasestr(metadata, wanted) != NULL;
}

bool
filter_metadata(const struct filter *f, const char *metadata)
{
	const struct select *g = f->given;

	return strchr(metadata, '\\') != NULL ||
	       strstr(metadata, "\"base64\"") != NULL ||
	       (may_hold(metadata, g->envelope_from) &&
		may_hold(metadata, g->envelope_to) &&
		may_hold(metadata, g->queue_id) &&
		may_hold(metadata, g->client));
}

static bool
passes_envelope(const struct select *g, const json_t *metadata)
{
	const json_t *envelope = json_object_get(metadata, "envelope");
	const json_t *from = json_object_get(envelope, "from");
	json_t *to;
	size_t i;

	if (!contains(select_text(json_object_get(from, "address")),
		      g->envelope_from))
		return false;
	if (g->envelope_to == NULL)
		return true;
	json_array_foreach(json_object_get(envelope, "recipients"), i, to)
		if (contains(select_text(json_object_get(to, "address")),
			     g->envelope_to))
			return true;
	return false;
}

static bool
passes_client(const struct select *g, const json_t *metadata)
{
	const json_t *client = json_object_get(metadata, "client");

	return contains(select_text(json_object_get(client, "address")),
			g->client) ||
	       contains(select_text(json_object_get(client, "name")),
			g->client) ||
	       contains(select_text(json_object_get(metadata, "helo")),
			g->client);
}

static bool
has_field(const struct head *h, const char *wanted, struct arena *a)
{
	const size_t n = strcspn(wanted, "=");
	const char *name = arena_strndup(a, wanted, n);
	const struct head_field *field = NULL;

	while ((field = head_next(h, name, field)) != NULL)
		if (contains(decode_text(head_value(field, a), a),
			     wanted + n + 1))
			return true;
	return false;
}

/* The header section, as far as it is looked at; text and the arena's memory
 * must outlive it. False: its bytes are gone or damaged. */
static bool
read_head(const struct selected *x, struct buf *text, struct head *h_r,
	  struct arena *a)
{
	struct err e;
	struct payload_reader *p = archive_payload(x->a, x->r, &e);
	const void *data;
	ssize_t n = p == NULL ? -1 : 1;

	buf_init(text, LOOKED_AT);
	while (n > 0 && !text->cut &&
	       (text->len == 0 || memmem(text->data, text->len, "\r\n\r\n",
					 4) == NULL)) {
		n = payload_next(p, &data, &e);
		if (n > 0)
			buf_add(text, data, (size_t)n);
	}
	payload_close(p);
	head_read(h_r, text->data ? text->data : "", text->len, a);
	return n >= 0;
}

static bool
passes_header(const struct select *g, const struct selected *x)
{
	struct arena arena = { NULL };
	struct head h = { .n = 0 };
	struct buf text;
	bool passes = read_head(x, &text, &h, &arena);

	for (size_t i = 0; i < g->header.n && passes; i++)
		passes = has_field(&h, g->header.all[i], &arena);
	buf_free(&text);
	arena_free(&arena);
	return passes;
}

bool
filter_passes(const struct filter *f, const struct selected *x)
{
	const struct select *g = f->given;
	const char *queue_id = select_text(json_object_get(x->metadata,
							   "queue_id"));

	if (x->r->type == FORMAT_CONTROL)
		return g->envelope_from == NULL && g->envelope_to == NULL &&
		       g->queue_id == NULL && g->client == NULL &&
		       g->header.n == 0;
	return (g->queue_id == NULL || strcmp(queue_id, g->queue_id) == 0) &&
	       passes_envelope(g, x->metadata) &&
	       passes_client(g, x->metadata) &&
	       (g->header.n == 0 || passes_header(g, x));
}
