/*
 * source - where objects come from: listed, fetched, removed. One struct of
 * functions per kind of source; the engine knows no other difference.
 *
 * A listing is only a hint: what a fetch found is what counts, and a removal
 * takes away exactly that version or nothing.
 */
#ifndef FALLBACKMX_SOURCE_H
#define FALLBACKMX_SOURCE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "settings.h"
#include "spool.h"

/* One line of a listing. */
struct object {
	const char *key;	/* any bytes but NUL; never used as a path
				 * of ours */
	uint64_t size;
	int64_t mtime;		/* seconds since 1970 */
	long mtime_ns;		/* and nanoseconds, for the order */
	bool aside;		/* a killed run was about to remove it */
};

/* The version that a fetch has read, for the removal. */
struct version {
	char etag[80];
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

enum fetch {
	FETCH_OK,
	FETCH_GONE,		/* listed, but there no more */
	FETCH_BUSY,		/* being written, or not settled yet */
	FETCH_FAILED,		/* e says why */
};

enum removal {
	REMOVAL_OK,		/* gone; also when it was gone already */
	REMOVAL_CHANGED,	/* another version is there now: left alone */
	REMOVAL_FAILED,		/* e says why; the object may be there */
};

struct source;

struct source_kind {
	/*
	 * The objects, oldest first, to be freed with free(3); their keys lie
	 * in the arena. ERR_STOP when
	 * the source cannot be read at all; *complete_r false when some part
	 * could not be listed (already logged).
	 */
	int (*list)(struct source *s, struct arena *a, struct object **list_r,
		    size_t *n_r, bool *complete_r, struct err *e);
	/* Into the spooler (FETCH_OK: r_r is the caller's). */
	enum fetch (*fetch)(struct source *s, const struct object *o,
			    struct spooler *sp, struct spool *r_r,
			    struct version *v_r, struct err *e);
	enum removal (*remove)(struct source *s, const struct object *o,
			       const struct version *v, struct err *e);
	void (*close)(struct source *s);
};

struct source {
	const struct source_kind *kind;
	const struct source_settings *settings;
	bool read_only;		/* audit, dry run */
	int root;		/* of a directory source */
	/* the directory of the last removal */
	char *parent_key;
	int parent, aside;
};

/* Opens what settings->url names. ERR_STOP on failure. */
int source_open(struct source *s, const struct source_settings *settings,
		bool read_only, struct err *e);
void source_close(struct source *s);

/* Says so with errno's reason; ERR_STOP. */
int source_cannot_open(const struct source_settings *s, struct err *e);

#endif
