#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "engine-private.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/* What makes an object itself, and what became of it. */

#define UNROUTED_NAMED 20	/* of them by name; the rest is a number */
#define FAILED_NAMED 20

void
engine_oid(struct engine *g, const char *key, const char *etag, uint64_t size,
	   uint8_t oid[HASH_SIZE])
{
	static struct hash h;
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(size >> (8 * i));
	hash_begin(&h);
	hash_add_field(&h, g->sid, HASH_SIZE);
	hash_add_field(&h, key, strlen(key));
	hash_add_field(&h, etag, strlen(etag));
	hash_add_field(&h, bytes, sizeof(bytes));
	hash_end(&h, oid);
}

void
engine_file_id(const uint8_t oid[HASH_SIZE], char id[DELIVERY_ID_LEN + 1])
{
	text_hex(id, oid, DELIVERY_ID_LEN / 2);
}

int64_t
engine_arrival(const struct object *o, const struct spool *s)
{
	if (s->received.arrival > 0)
		return s->received.arrival;
	return o->mtime > 0 ? o->mtime : 0;	/* a name has no sign */
}

/* Left alone on purpose: nothing of a correspondent's. */
bool
engine_is_no_mail(const struct object *o)
{
	static const char setup[] = "AMAZON_SES_SETUP_NOTIFICATION";
	const char *slash = strrchr(o->key, '/');
	const char *base = slash ? slash + 1 : o->key;

	return *base == '\0' || strcmp(base, setup) == 0;
}

void
engine_outcome(struct engine *g, const char *key, enum outcome o)
{
	const char *url = g->source.settings->url;

	report_count(g->report, o);
	g->done++;
	if (o == OUTCOME_UNROUTED && g->unrouted++ < UNROUTED_NAMED)
		log_problem("%s%s: no mailbox is configured for it: it stays "
			    "in the source", url, text_show(key));
	else if (o == OUTCOME_SUSPECT)
		log_problem("%s%s: a sync failed after its delivery: it stays "
			    "in the source; look for the mail in its mailbox, "
			    "copy it there if it is missing, then remove the "
			    "object", url, text_show(key));
}

void
engine_failed(struct engine *g, const struct object *o, const struct err *e)
{
	if (g->failed++ < FAILED_NAMED)
		log_problem("%s: %s", g->source.settings->url, e->text);
	else
		log_info("%s: %s", g->source.settings->url, e->text);
	engine_outcome(g, o->key, OUTCOME_FAILED);
}

static void
more(const struct engine *g, size_t n, size_t named, const char *what)
{
	if (n > named)
		log_problem("%s: %zu more %s", g->source.settings->url,
			    n - named, what);
}

void
engine_outcomes_told(struct engine *g)
{
	more(g, g->unrouted, UNROUTED_NAMED, "without a mailbox");
	more(g, g->failed, FAILED_NAMED, "could not be read");
	if (!g->stuck_told)
		more(g, g->stuck, STUCK_NAMED, "are delivered and stay");
	g->unrouted = g->failed = g->stuck = 0;
}

void
ids_add(struct ids *s, int64_t id)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->list = mem_grow(s->list, s->room, sizeof(*s->list));
	}
	s->list[s->n++] = id;
}

bool
ids_have(const struct ids *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i] == id)
			return true;
	return false;
}

static int
by_number(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void
ids_sort(struct ids *s)
{
	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), by_number);
}

void
ids_free(struct ids *s)
{
	free(s->list);
	*s = (struct ids){ .n = 0 };
}
