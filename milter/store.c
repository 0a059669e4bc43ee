#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "store.h"

#define LABELS_MAX ((size_t)256)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *all;

static struct counter *
result(const char *name, const char *word)
{
	struct counter *c;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	counter_labels(&labels, "archive", name, "result", word, NULL);
	c = counter_get(METRIC_ARCHIVED, labels.data);
	buf_free(&labels);
	return c;
}

static int
code_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return EX_CONFIG;
	case EACCES:
	case EPERM:
	case EROFS:
		return EX_NOPERM;
	default:
		return EX_IOERR;	/* it may go over */
	}
}

/* The directory of all archives is the administrator's to make: a disk that is
 * not mounted must not be taken for an empty archive. It hands down its group
 * (mode 2750), of which the milter is no member: chmod(2) would lose that. */
static int
make_directory(const char *directory, const char *name, struct err *e)
{
	int dir = fsio_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
	int ret = 0;

	if (dir < 0 || (mkdirat(dir, name, 0750) < 0 && errno != EEXIST) ||
	    fsio_sync(dir) < 0)
		ret = err_stop(e, code_of(errno), "cannot make the archive %s "
			       "in %s: %s", name, text_show(directory),
			       strerror(errno));
	fsio_close(&dir);
	return ret;
}

static struct store *
find(const char *path, uint64_t free_bytes)
{
	for (struct store *s = all; s != NULL; s = s->next)
		if (strcmp(s->path, path) == 0 && s->free_bytes == free_bytes)
			return s;
	return NULL;
}

static struct store *
open_new(const char *directory, const char *name, char *path,
	 uint64_t free_bytes, struct err *e)
{
	const struct journal_options o = { .free_bytes = free_bytes };
	struct journal *j = NULL;
	struct store *s;

	if (make_directory(directory, name, e) < 0 ||
	    journal_open(path, &o, &j, e) < 0) {
		free(path);
		return NULL;
	}
	if (*journal_found(j) != '\0')
		log_problem("archive %s: %s", name, journal_found(j));
	s = mem_alloc(sizeof(*s));
	*s = (struct store){ .name = mem_strdup(name), .path = path,
			     .journal = j, .free_bytes = free_bytes };
	s->stored = result(name, "stored");
	s->again = result(name, "again");
	s->failed = result(name, "failed");
	return s;
}

struct store *
store_open(const char *directory, const char *name, uint64_t free_bytes,
	   struct err *e)
{
	struct arena a = { NULL };
	char *path = mem_strdup(arena_printf(&a, "%s/%s", directory, name));
	struct store *s;

	arena_free(&a);
	pthread_mutex_lock(&lock);
	s = find(path, free_bytes);
	if (s != NULL) {
		free(path);
	} else {
		s = open_new(directory, name, path, free_bytes, e);
		if (s != NULL) {
			s->next = all;
			all = s;
		}
	}
	if (s != NULL)
		s->refs++;
	pthread_mutex_unlock(&lock);
	return s;
}

static void
seal(const struct store *s)
{
	struct err e;

	if (journal_seal(s->journal, clock_wall() * 1000000, &e) < 0)
		log_problem("%s; nothing is lost by that", e.text);
}

void
store_seal(void)
{
	pthread_mutex_lock(&lock);
	for (const struct store *s = all; s != NULL; s = s->next)
		seal(s);
	pthread_mutex_unlock(&lock);
}

void
store_drop(struct store *s)
{
	struct store **at = &all;

	if (s == NULL)
		return;
	pthread_mutex_lock(&lock);
	if (--s->refs > 0) {
		pthread_mutex_unlock(&lock);
		return;
	}
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	pthread_mutex_unlock(&lock);
	seal(s);
	journal_close(s->journal);
	free((char *)(size_t)s->name);
	free((char *)(size_t)s->path);
	free(s);
}
