#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "snapshot-private.h"
#include "store.h"

#define LINES_MAX ((size_t)262144)

/* What is in force and how the last reload went. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct snapshot *in_force;
static struct snapshot_state state;

struct snapshot *
snapshot_hold(void)
{
	struct snapshot *s;

	pthread_mutex_lock(&lock);
	s = snapshot_hold_again(in_force);
	pthread_mutex_unlock(&lock);
	return s;
}

struct snapshot *
snapshot_hold_again(struct snapshot *s)
{
	if (s != NULL)
		atomic_fetch_add(&s->refs, 1);
	return s;
}

void
snapshot_free(struct snapshot *s)
{
	for (size_t i = 0; i < s->policies_n; i++)
		policy_free(s->policies[i].policy);
	for (size_t i = 0; i < s->archives_n; i++)
		store_drop(s->archives[i].store);
	/* All else is in the settings' arena. */
	filter_settings_free(&s->settings);
	free(s);
}

void
snapshot_drop(struct snapshot *s)
{
	if (s != NULL && atomic_fetch_sub(&s->refs, 1) == 1)
		snapshot_free(s);
}

void
snapshot_put_in_force(struct snapshot *s)
{
	struct snapshot *before;

	counter_set(counter_get(METRIC_POLICY_LOADED, NULL),
		    (uint64_t)s->loaded);
	counter_set(counter_get(METRIC_POLICY_OK, NULL), 1);
	pthread_mutex_lock(&lock);
	before = in_force;
	in_force = s;
	state.loaded = s->loaded;
	state.generation = s->generation;
	pthread_mutex_unlock(&lock);
	/* Last: to free a policy takes a while. */
	snapshot_drop(before);
}

static struct counter *
reloads(const char *result)
{
	struct counter *c;
	struct buf labels;

	buf_init(&labels, 64);
	counter_labels(&labels, "result", result, NULL);
	c = counter_get(METRIC_RELOADS, labels.data);
	buf_free(&labels);
	return c;
}

/* mistakes: a copy is kept; NULL: there are none. */
static void
remember(time_t now, bool failed, const struct buf *mistakes)
{
	char *text = mistakes && mistakes->data ? mem_strdup(mistakes->data) :
		NULL;

	pthread_mutex_lock(&lock);
	state.tried = now;
	if (!failed)
		state.failing_since = 0;
	else if (state.failing_since == 0)
		state.failing_since = now;
	free(state.mistakes);
	state.mistakes = text;
	pthread_mutex_unlock(&lock);
	counter_set(counter_get(METRIC_POLICY_OK, NULL), !failed);
}

int
snapshot_open(struct snapshot *s, struct buf *mistakes, struct err *e)
{
	const struct archive_settings *x = s->settings.archive;
	const uint64_t free_bytes = (uint64_t)x->free_mib << 20;

	for (size_t i = 0; i < s->archives_n; i++) {
		struct vault *a = &s->archives[i];

		a->store = store_open(x->directory, a->name, free_bytes, e);
		if (a->store == NULL) {
			buf_printf(mistakes, "%s\n", e->text);
			return err_prefix(e, "milter.archive");
		}
	}
	return 0;
}

static struct snapshot *
load_and_open(const char *file, struct buf *mistakes, struct buf *warnings,
	      struct err *e)
{
	struct snapshot *s = snapshot_load(file, mistakes, warnings, e);

	if (s != NULL && snapshot_open(s, mistakes, e) < 0) {
		snapshot_free(s);
		s = NULL;
	}
	return s;
}

int
snapshot_reload(const char *file, struct buf *lines, struct err *e)
{
	struct counter *ok = reloads("ok"), *failed = reloads("failed");
	struct snapshot *s;
	struct buf warnings;

	buf_init(&warnings, LINES_MAX);
	s = load_and_open(file, lines, &warnings, e);
	if (s != NULL) {
		buf_add(lines, warnings.data, warnings.len);
		remember(s->loaded, false, NULL);
		snapshot_put_in_force(s);
		counter_add(ok, 1);
	} else {
		struct buf all;

		buf_init(&all, 2 * LINES_MAX);
		buf_add(&all, lines->data, lines->len);
		buf_printf(&all, "%s\n", e->text);
		remember(time(NULL), true, &all);
		buf_free(&all);
		counter_add(failed, 1);
	}
	buf_free(&warnings);
	return s != NULL ? 0 : -1;
}

void
snapshot_state(struct snapshot_state *state_r)
{
	pthread_mutex_lock(&lock);
	*state_r = state;
	if (state.mistakes != NULL)
		state_r->mistakes = mem_strdup(state.mistakes);
	pthread_mutex_unlock(&lock);
}

static size_t
place_of(const struct snapshot *s, const struct action *x)
{
	return (size_t)(((uintptr_t)x >> 4) * 0x9e3779b97f4a7c15u >> 32) &
		(s->mapped_room - 1);
}

static const struct mapped *
find(const struct snapshot *s, const struct action *x)
{
	size_t i;

	if (s->mapped_room == 0)
		return NULL;
	for (i = place_of(s, x); s->mapped[i].action != NULL;
	     i = (i + 1) & (s->mapped_room - 1))
		if (s->mapped[i].action == x)
			return &s->mapped[i];
	return NULL;
}

enum target_way
snapshot_target(const struct snapshot *s, const struct action *x)
{
	const struct mapped *found = find(s, x);

	return found ? found->way : TARGET_OWN;
}

const struct vault *
snapshot_archive(const struct snapshot *s, const struct action *x,
		 enum storage *storage_r)
{
	const struct mapped *found = find(s, x);

	if (found == NULL || found->archive == NULL)
		return NULL;
	*storage_r = found->storage;
	return found->archive;
}

void
snapshot_map(struct snapshot *s, const struct action *x,
	     const struct target_settings *t, const struct vault *archive)
{
	const enum target_way way = t ? (enum target_way)t->way
		: TARGET_UNMAPPED;

	size_t i = place_of(s, x);

	while (s->mapped[i].action != NULL)
		i = (i + 1) & (s->mapped_room - 1);
	s->mapped[i] = (struct mapped){ x, way, archive,
					t ? (enum storage)t->storage
					  : STORAGE_REQUIRED };
}
