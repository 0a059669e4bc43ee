/*
 * archives - the archives that --archive names: a directory with segments is
 * one, without a name; else each directory in it that has segments is one,
 * called by the directory's name. Ids are then NAME/ID. One that a milter has
 * opened (it has a lock) and that has no segments is empty.
 */
#ifndef FALLBACKMX_ARCHIVES_H
#define FALLBACKMX_ARCHIVES_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define ARCHIVES_DEFAULT LOCALSTATEDIR "/lib/fallbackmx-archive"

/* The rows that all commands have; a struct `type` with the field `archive`. */
#define ARCHIVES_ROW(type)                                                     \
	{ .name = "archive", .argument = "DIR", .kind = OPTION_STRING,         \
	  .offset = offsetof(type, archive),                                   \
	  .help = "the archive, or a directory of archives; default: "         \
		  ARCHIVES_DEFAULT }

/* For those that work on all of it. */
#define ARCHIVES_INSTEAD "--archive names it"

struct archives_one {
	const char *name;	/* "": it has none */
	const char *path;
};

struct archives {
	struct archives_one *all;	/* sorted by name */
	size_t n;
	struct archives_one *empty;	/* of several: the others, sorted */
	size_t empty_n;
	struct arena arena;
};

/* dir: NULL is ARCHIVES_DEFAULT. Fails with ERR_STOP: EX_NOINPUT (there is no
 * archive), EX_NOPERM, EX_IOERR. */
int archives_open(struct archives *s_r, const char *dir, struct err *e);
void archives_free(struct archives *s);

/* The archive of an id, and *id_r is the id in it. Fails with ERR_STOP. */
const struct archives_one *archives_of(const struct archives *s,
				       const char *id, const char **id_r,
				       struct err *e);

#endif
