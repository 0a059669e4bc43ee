/*
 * check-archive - whether the milter will be able to write the archives of its
 * configuration. It makes them itself, but not the directory that they are in:
 * a disk that is not mounted must not be taken for an empty one.
 */
#ifndef FALLBACKMX_CHECK_ARCHIVE_H
#define FALLBACKMX_CHECK_ARCHIVE_H

#include "lib/base/err.h"
#include "milter/snapshot.h"

/*
 * 0: as far as can be seen, or it archives nothing. Root looks as the milter's
 * user; another user but that one sees only whether there is a directory. -1,
 * ERR_STOP (EX_CONFIG, EX_NOPERM, EX_IOERR): what is wrong. *remedy_r, which is
 * the arena's of s: what to do.
 */
int check_archive(struct snapshot *s, const char **remedy_r, struct err *e);

#endif
