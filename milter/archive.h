/*
 * archive - puts a message into the archives that rules ask for, and into that
 * of all mail: before anything else is done with it, and before it is
 * answered. Several archives are written to at the same time.
 *
 * A message that is refused for now is not archived: it comes again. Who wants
 * the rest of it gets what he asked for, also when it is refused for good or
 * thrown away; the archive of all mail has what was taken.
 */
#ifndef FALLBACKMX_MILTER_ARCHIVE_H
#define FALLBACKMX_MILTER_ARCHIVE_H

#include "judge.h"
#include "plan.h"
#include "session.h"

struct archiving {
	struct session *session;
	const struct judgement *judgement;	/* NULL: it was not judged */
	int64_t time_us;		/* since 1970 */
	void (*tick)(void *arg);	/* called by another thread while it
					 * takes long, not for ever (alive.h) */
	void *arg;
};

/* Does what p asks for; a failure changes the plan. */
void archive_message(const struct archiving *x, struct plan *p);

#endif
