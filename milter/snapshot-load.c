#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "snapshot-private.h"

#define NAME_SIZE 400		/* of a name as it is shown */

static const struct ingress_settings built_in[] = {
	{ .name = SNAPSHOT_SUBMISSION, .open = true, .deny_text = "" },
	{ .name = SNAPSHOT_DEFAULT, .open = true, .deny_text = "" },
};

const char *
snapshot_shown(struct loading *l, const char *s)
{
	char text[NAME_SIZE];

	text_quote(text, sizeof(text), s, strlen(s));
	return arena_strdup(l->arena, text);
}

/* What another program could keep us waiting at is no document. */
static int
open_document(const char *file)
{
	int fd = fsio_openat(AT_FDCWD, file, O_RDONLY | O_NONBLOCK | O_NOCTTY,
			     0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		fsio_close(&fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EOPNOTSUPP;
	}
	return fd;
}

/* The text of a document; POLICY_MAX + 1 bytes tell that it is too long. A
 * mistake of path in the configuration if it cannot be read. */
static bool
read_document(struct loading *l, const char *path, const char *file,
	      struct buf *text)
{
	char part[65536];
	int fd = open_document(file);
	ssize_t n = fd < 0 ? -1 : 1;

	buf_init(text, POLICY_MAX + 1);
	while (n > 0 && !text->cut) {
		n = fsio_read(fd, part, sizeof(part));
		if (n > 0)
			buf_add(text, part, (size_t)n);
	}
	if (n < 0)
		config_mistake(&l->m, path, file, "a file that can be read "
			       "(%s)", strerror(errno));
	fsio_close(&fd);
	if (text->data == NULL)
		text->data = mem_strdup("");
	return n >= 0;
}

/* Adds a document to p; its mistakes bear the document's name. */
static enum policy_kind
add_document(struct loading *l, struct policy *p, enum policy_kind kind,
	     const char *name, const char *file, const struct buf *text)
{
	const char *before = l->m.file;
	enum policy_kind found;

	l->m.file = snapshot_shown(l, file);
	found = policy_add(p, kind, name, text->data, text->len, false, &l->m);
	l->m.file = before;
	return found;
}

/* Each list is tried once by itself, so that a mistake is told once. */
static void
read_lists(struct loading *l)
{
	const struct filter_settings *s = &l->s->settings;

	l->lists = arena_alloc(l->arena, (s->lists_n + 1) * sizeof(*l->lists));
	l->lists_ok = arena_alloc(l->arena, s->lists_n + 1);
	for (size_t i = 0; i < s->lists_n; i++) {
		const struct list_settings *x = &s->lists[i];
		const size_t before = l->m.n;
		struct policy *p = policy_new();

		if (read_document(l, arena_printf(l->arena, "milter."
						  "address_lists[%zu].file",
						  i), x->file, &l->lists[i]))
			add_document(l, p, POLICY_ADDRESS_LIST, x->name,
				     x->file, &l->lists[i]);
		l->lists_ok[i] = l->m.n == before;
		policy_free(p);
	}
}

static void
add_lists(struct loading *l, struct policy *p)
{
	const struct filter_settings *s = &l->s->settings;

	if (!survey_asks_lists(p))
		return;
	for (size_t i = 0; i < s->lists_n; i++)
		if (l->lists_ok[i])
			add_document(l, p, POLICY_ADDRESS_LIST,
				     s->lists[i].name, s->lists[i].file,
				     &l->lists[i]);
}

static void
free_lists(struct loading *l)
{
	for (size_t i = 0; l->lists && i < l->s->settings.lists_n; i++)
		buf_free(&l->lists[i]);
}

/* Relays and archives: nothing asks for them yet, so they are only read. */
static void
check_documents(struct loading *l)
{
	const struct filter_settings *s = &l->s->settings;
	struct policy *p = policy_new();

	for (size_t i = 0; i < s->documents_n; i++) {
		const char *path = arena_printf(l->arena,
						"milter.documents[%zu]", i);
		const size_t before = l->m.n;
		enum policy_kind kind;
		struct buf text;

		if (read_document(l, path, s->documents[i], &text)) {
			kind = add_document(l, p, POLICY_UNKNOWN, NULL,
					    s->documents[i], &text);
			if (l->m.n == before && kind != POLICY_RELAY &&
			    kind != POLICY_ARCHIVE)
				config_mistake(&l->m, path, s->documents[i],
					       "a relay or an archive");
		}
		buf_free(&text);
	}
	policy_free(p);
}

static const struct policy *
load_policy(struct loading *l, const char *path, const char *file,
	    enum policy_kind kind, int mode)
{
	struct snapshot *s = l->s;
	struct loaded *x = s->policies;
	struct buf text;

	if (file == NULL)
		return NULL;
	while (x < s->policies + s->policies_n &&
	       (x->kind != kind || strcmp(x->file, file) != 0))
		x++;
	if (x < s->policies + s->policies_n) {
		x->enforced |= mode == MODE_ENFORCE;
		return x->policy;
	}
	*x = (struct loaded){ file, kind, mode == MODE_ENFORCE, policy_new() };
	s->policies_n++;
	if (read_document(l, path, file, &text)) {
		add_document(l, x->policy, kind, NULL, file, &text);
		add_lists(l, x->policy);
	}
	buf_free(&text);
	return x->policy;
}

static void
load_ingress(struct loading *l, struct ingress *g, size_t index)
{
	const char *path = arena_printf(l->arena, "milter.ingress_points[%zu]",
					index);

	g->traffic = load_policy(l, arena_printf(l->arena, "%s.traffic_policy",
						 path), g->s->traffic_policy,
				 POLICY_TRAFFIC, g->s->traffic_mode);
	g->rules = load_policy(l, arena_printf(l->arena, "%s.rule_set", path),
			       g->s->rule_set, POLICY_RULE_SET,
			       g->s->rule_set_mode);
}

static void
load_ingresses(struct loading *l)
{
	struct snapshot *s = l->s;
	const size_t n = s->settings.ingresses_n;

	s->ingresses = arena_alloc(l->arena, (n + 2) * sizeof(*s->ingresses));
	s->policies = arena_alloc(l->arena, (2 * n + 1) *
				  sizeof(*s->policies));
	for (s->n = 0; s->n < n; s->n++) {
		struct ingress *g = &s->ingresses[s->n];

		g->s = &s->settings.ingresses[s->n];
		if (strcmp(g->s->name, SNAPSHOT_SUBMISSION) == 0)
			s->submission = g;
		else if (g->s->listener == NULL && g->s->macro == NULL &&
			 g->s->daemon_name == NULL)
			s->rest = g;
		load_ingress(l, g, s->n);
	}
	if (s->submission == NULL) {
		s->submission = &s->ingresses[s->n++];
		s->submission->s = &built_in[0];
	}
	if (s->rest == NULL) {
		s->rest = &s->ingresses[s->n++];
		s->rest->s = &built_in[1];
	}
}

struct snapshot *
snapshot_load(const char *file, struct buf *mistakes, struct buf *warnings,
	      struct err *e)
{
	static _Atomic unsigned generations;
	struct snapshot *s = mem_alloc(sizeof(*s));
	struct loading l = { s, &s->settings.arena, NULL, { 0 }, warnings,
			     NULL, NULL };

	s->refs = 1;
	if (filter_settings_read(&s->settings, file, mistakes, e) < 0) {
		snapshot_free(s);
		return NULL;
	}
	l.file = snapshot_shown(&l, file);
	l.m = (struct config_mistakes){ l.file, mistakes, 0 };
	read_lists(&l);
	check_documents(&l);
	load_ingresses(&l);
	snapshot_check(&l);
	free_lists(&l);
	if (l.m.n > 0) {
		err_stop(e, EX_CONFIG, "cannot use %s: %zu mistake%s", l.file,
			 l.m.n, text_s(l.m.n));
		snapshot_free(s);
		return NULL;
	}
	snapshot_make_counters(s);
	s->file = arena_strdup(l.arena, file);
	s->loaded = time(NULL);
	s->generation = atomic_fetch_add(&generations, 1) + 1;
	return s;
}
