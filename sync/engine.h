/*
 * engine - one run of `fallbackmx sync`: every object of every source into the
 * Maildirs of its owners, exactly once, and only then out of the source.
 *
 * The order of the durable steps is docs/internals.md, "Exactly once"; it
 * stands in batch.c and recover.c. As root, sync_run() (run.c) splits first:
 * the caller's process stays the spawner, a child becomes the engine for good.
 */
#ifndef FALLBACKMX_ENGINE_H
#define FALLBACKMX_ENGINE_H

#include "report.h"
#include "settings.h"

struct identity;

struct sync_options {
	bool keep;		/* for all sources, whatever they say */
	bool dry_run;		/* say what would go where; change nothing */
	bool audit;		/* compare only; change nothing */
	bool take_over;		/* adopt Maildirs of another ledger */
	bool quiet;		/* dry run prints no lines (--json) */
	int max_time;		/* seconds, 0 = no limit */
};

/*
 * Runs it all, logs every problem, fills r (exit_code included: the exit code
 * of the program). Returns nothing: r tells.
 */
void sync_run(const struct settings *s, const struct sync_options *o,
	      struct report *r);

/* Whom root becomes for all that parses; who_r's name is that of s. ERR_STOP
 * (EX_CONFIG) when there is no such user. */
int engine_user(const struct settings *s, struct identity *who_r,
		struct err *e);

#endif
