/*
 * source - where objects come from: listed, fetched, removed. One struct of
 * functions per kind of source; the engine knows no other difference.
 *
 * A listing is only a hint: what a fetch found is what counts, and a removal
 * takes away exactly that version or nothing. A source over a network works
 * ahead: it fetches what it is about to hand out while the engine is busy
 * with what it has, and tells of removals when they are through.
 */
#ifndef FALLBACKMX_SOURCE_H
#define FALLBACKMX_SOURCE_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "settings.h"
#include "spool.h"

#define ETAG_MAX 136		/* bytes with the final NUL */

/* One line of a listing. */
struct object {
	const char *key;	/* any bytes but NUL; never used as a path
				 * of ours */
	const char *etag;	/* NULL: only a fetch tells */
	uint64_t size;
	int64_t mtime;		/* seconds since 1970 */
	long mtime_ns;		/* and nanoseconds, for the order */
	bool aside;		/* a killed run was about to remove it */
	bool known;		/* wanted() said no: not to be fetched */
};

/* The version that a fetch has read, for the removal. */
struct version {
	char etag[ETAG_MAX];
	const char *id;		/* of a bucket with versions; NULL: none.
				 * Valid until the next fetch. */
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

/* Whom a source asks and tells; calls come inside of its own functions. */
struct source_listener {
	void *owner;
	/* False: the object will not be fetched, so it need not come. Asked
	 * for those with an etag, some time before they are handed out. */
	bool (*wanted)(void *owner, const struct object *o);
	void (*removed)(void *owner, void *ticket, enum removal r,
			const struct err *e);
	/* True the first time in the source's life that what is asked for. */
	bool (*first)(void *owner, const char *what);
	/* True once the run is to end: no more waiting than needed. */
	bool (*stopping)(void *owner);
};

struct source;

struct source_kind {
	/*
	 * The next object, older ones first as far as the listing goes: 1; 0
	 * at the end; -1 when no more can be listed. Its texts are valid until
	 * the next call.
	 */
	int (*next)(struct source *s, struct object *o_r, struct err *e);
	/* How many more are listed already. */
	size_t (*left)(const struct source *s);
	/* The object that next() gave, into the spooler (FETCH_OK: r_r is the
	 * caller's). */
	enum fetch (*fetch)(struct source *s, const struct object *o,
			    struct spooler *sp, struct spool *r_r,
			    struct version *v_r, struct err *e);
	/* Removes that version; removed() tells how it went, now or later.
	 * Object and version stay valid until then. */
	void (*remove)(struct source *s, const struct object *o,
		       const struct version *v, void *ticket);
	/* Returns when removed() was told of everything. */
	void (*finish)(struct source *s);
	/* poll(2), while the source's own work goes on. */
	int (*wait)(struct source *s, struct pollfd *fds, nfds_t n, int ms);
	void (*close)(struct source *s);
};

struct source {
	const struct source_kind *kind;
	const struct source_settings *settings;
	const struct source_listener *listener;
	const char *spool_dir;	/* for large objects; NULL: dry run, audit */
	bool complete;		/* all of it could be listed so far */
	void *own;		/* of the kind */
};

/* What the ledger knows a source by. */
struct source_name {
	char url[4200];		/* one directory, one name, whatever way it was
				 * written */
	char place[272];	/* where a bucket is; "" for a directory */
};

/* ERR_STOP when it cannot be had. */
int source_name(const struct source_settings *s, struct source_name *n,
		struct err *e);

/* Opens what settings->url names; without spool_dir it is only read. ERR_STOP
 * on failure. */
int source_open(struct source *s, const struct source_settings *settings,
		const struct source_listener *listener, const char *spool_dir,
		struct err *e);
void source_close(struct source *s);

#endif
