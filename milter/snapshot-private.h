/*
 * snapshot-private - what snapshot.c (which is in force), snapshot-load.c (the
 * documents), snapshot-check.c (what they ask for) and snapshot-count.c (the
 * counters) share.
 */
#ifndef FALLBACKMX_MILTER_SNAPSHOT_PRIVATE_H
#define FALLBACKMX_MILTER_SNAPSHOT_PRIVATE_H

#include "policy/survey.h"
#include "snapshot.h"

/* A policy or rule set, once for all ingress points that name the file. */
struct loaded {
	const char *file;	/* the settings' */
	enum policy_kind kind;
	bool enforced;		/* somewhere; else in shadow mode only */
	struct policy *policy;	/* NULL: it could not be loaded */
};

struct mapped {
	const struct action *action;	/* NULL: this place is empty */
	enum target_way way;
	const struct vault *archive;	/* NULL: none */
	enum storage storage;
};

/* A snapshot while it is made. */
struct loading {
	struct snapshot *s;
	struct arena *arena;	/* the settings' */
	const char *file;	/* the configuration, as it is shown */
	struct config_mistakes m;
	struct buf *warnings;
	struct buf *lists;	/* texts of the address lists */
	bool *lists_ok;
};

/* s as it is shown; the settings'. */
const char *snapshot_shown(struct loading *l, const char *s);

/* What is loaded asks for nothing that it cannot have, else it is a mistake,
 * or of what is in shadow mode alone a warning; fills the tables of targets
 * and archives. Warns of settings that believe too much. */
void snapshot_check(struct loading *l);

/* Makes the counters of each ingress point. */
void snapshot_make_counters(struct snapshot *s);

/* Puts an action into the table, which has room for twice as many. t: how its
 * target is mapped, NULL: it is not. */
void snapshot_map(struct snapshot *s, const struct action *x,
		  const struct target_settings *t,
		  const struct vault *archive);

void snapshot_free(struct snapshot *s);

#endif
