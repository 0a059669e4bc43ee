#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine-private.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/* What makes an object itself, and where it goes. */

void
engine_mark(const struct engine *g, const char *path,
	    char mark[DELIVERY_UUID_LEN + 1])
{
	static struct hash h;
	const char *uuid = ledger_uuid(g->ledger);
	uint8_t digest[HASH_SIZE];

	hash_begin(&h);
	hash_add_field(&h, uuid, strlen(uuid));
	hash_add_field(&h, path, strlen(path));
	hash_end(&h, digest);
	text_hex(mark, digest, DELIVERY_UUID_LEN / 2);
}

int
engine_write_mark(const struct engine *g, struct mailbox *m, struct err *e)
{
	char mark[DELIVERY_UUID_LEN + 1];

	engine_mark(g, m->path, mark);
	return mailbox_mark(m, mark, e);
}

void
engine_mailbox_failed(struct engine *g, struct mailbox *m, const struct err *e)
{
	if (m->state == MAILBOX_FAILED)
		return;
	log_problem("mail for %s waits: %s", m->path, e->text);
	report_exit(g->report, e->kind == ERR_STOP && e->code != 0
			       ? e->code : EX_TEMPFAIL);
	mailbox_close(m);
	m->state = MAILBOX_FAILED;
}

static bool
same_target(const struct mailbox *m, size_t source, const struct target *t)
{
	return m->source == source && m->target.route == t->route &&
	       strcmp(m->target.user, t->user) == 0;
}

static struct mailbox *
add_mailbox(struct engine *g, size_t source, const struct target *t,
	    const char *path)
{
	struct mailbox *m = mem_alloc(sizeof(*m));

	m->sock = -1;
	m->source = source;
	m->target = *t;
	m->path = mem_strdup(path);
	m->next = g->boxes;
	g->boxes = m;
	return m;
}

/* A target that cannot be resolved gets a mailbox that has failed, named by
 * its route, so that it is tried and told once. */
static int
unresolved(struct engine *g, size_t source, const struct target *t,
	   struct mailbox **m_r, struct err *e)
{
	const struct source_settings *s = &g->settings->sources[source];
	const char *path = s->routes[t->route].maildir;

	if (t->user[0] != '\0')
		err_prefix(e, "user %s", text_show(t->user));
	*m_r = add_mailbox(g, source, t, path);
	engine_mailbox_failed(g, *m_r, e);
	return -1;
}

int
engine_mailbox(struct engine *g, size_t source, const struct target *t,
	       struct mailbox **m_r, struct err *e)
{
	char path[MAILDIR_SIZE];
	struct mailbox *m;

	for (m = g->boxes; m != NULL; m = m->next)
		if (same_target(m, source, t)) {
			*m_r = m;
			return 0;
		}
	/* The owner is the spawner's business: a home may be closed to us. */
	if (recipients_maildir(&g->settings->sources[source], t, path, e) < 0)
		return e->kind == ERR_PERM ? -1
		     : unresolved(g, source, t, m_r, e);
	/* Two lines may name one Maildir. */
	for (m = g->boxes; m != NULL; m = m->next)
		if (strcmp(m->path, path) == 0) {
			*m_r = m;
			return 0;
		}
	m = add_mailbox(g, source, t, path);
	*m_r = m;
	if (g->ledger == NULL)
		return 0;
	return ledger_mailbox(g->ledger, m->path, t->user, &m->row, e);
}

/* The target whose Maildir the row names, among all sources. */
static bool
find_target(const struct settings *s, const struct ledger_mailbox *row,
	    size_t *source_r, struct target *t_r)
{
	char path[MAILDIR_SIZE];
	struct err e;

	for (size_t i = 0; i < s->sources_n; i++) {
		const struct source_settings *src = &s->sources[i];
		size_t n = src->routes_n + (src->catch_all != NULL);

		for (size_t j = 0; j < n; j++) {
			struct target t = { .route = j };

			if (strlen(row->user) < sizeof(t.user))
				memcpy(t.user, row->user,
				       strlen(row->user) + 1);
			if (!src->routes[j].template)
				t.user[0] = '\0';
			else if (t.user[0] == '\0')
				continue;
			if (recipients_maildir(src, &t, path, &e) < 0 ||
			    strcmp(path, row->path) != 0)
				continue;
			*source_r = i;
			*t_r = t;
			return true;
		}
	}
	return false;
}

int
engine_known_mailbox(struct engine *g, const struct ledger_mailbox *row,
		     struct mailbox **m_r, struct err *e)
{
	struct target t;
	size_t source;

	*m_r = NULL;
	if (!find_target(g->settings, row, &source, &t))
		return 0;
	return engine_mailbox(g, source, &t, m_r, e);
}

int
engine_put_mailbox(struct engine *g, struct mailbox *m, struct err *e)
{
	struct ledger_mailbox row;

	if (ledger_mailbox(g->ledger, m->path, m->target.user, &row, e) < 0)
		return -1;
	m->row.id = row.id;
	m->touched = false;
	return ledger_mailbox_update(g->ledger, &m->row, e);
}
