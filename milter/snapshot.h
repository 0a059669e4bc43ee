/*
 * snapshot - what is in force: the settings and the policies of every ingress
 * point, loaded and checked whole. Immutable once made; counted; one is in
 * force, and a session holds the one that it began with.
 *
 * Whoever holds one may read all of it from any thread. snapshot_hold() and
 * snapshot_put_in_force() meet under a lock that is held for a few
 * instructions. Loading reads files and is for the main thread.
 */
#ifndef FALLBACKMX_MILTER_SNAPSHOT_H
#define FALLBACKMX_MILTER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "counter.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "policy/policy.h"
#include "policy/verdict.h"
#include "settings.h"

#define SNAPSHOT_SUBMISSION "submission"
#define SNAPSHOT_DEFAULT "default"

/* What became of a message; the values of METRIC_MESSAGES' result. */
enum result {
	RESULT_ACCEPTED,
	RESULT_REJECTED,
	RESULT_TEMPFAILED,
	RESULT_DROPPED,
	RESULT_QUARANTINED,
	RESULTS,
};
extern const char *const result_words[];

/* Why a sender or recipient was refused before end of message. */
enum refusal {
	REFUSAL_POLICY,
	REFUSAL_TLS,
	REFUSAL_SIZE,
	REFUSAL_CLOSED,		/* also while we stop */
	REFUSAL_IP_FILTER,
	REFUSAL_SPLIT,		/* 451 4.5.3: in a message of its own */
	REFUSALS,
};
extern const char *const refusal_words[];

struct store;
struct tally;
struct loaded;
struct mapped;

/* One ingress point in force. */
struct ingress {
	const struct ingress_settings *s;	/* never NULL */
	const struct policy *traffic;	/* NULL: none; only traffic policy and
					 * lists */
	const struct policy *rules;	/* NULL: none; only rule set, lists */
	struct counter *results[RESULTS];
	struct counter *refusals[REFUSALS];
	struct histogram *eom;		/* seconds at end of message */
	struct tally *tally;		/* see ingress_count_*() */
	bool archives;		/* some archive may be asked */
};

/* One that this snapshot puts mail into. */
struct vault {
	const char *name;
	struct store *store;	/* NULL: snapshot_open() was not called */
};

struct snapshot {
	struct filter_settings settings;
	struct ingress *ingresses;	/* those configured, in that order, and
					 * behind them those built in */
	size_t n;
	struct ingress *submission;	/* never NULL */
	struct ingress *rest;		/* of sessions that none claims; never
					 * NULL */
	struct vault *archives;
	size_t archives_n;
	const struct vault *rest_archive;	/* of all mail; NULL: none */
	const char *file;		/* the configuration */
	time_t loaded;
	unsigned generation;		/* 1, 2, ... in order of loading */
	/* private */
	struct mapped *mapped;		/* a hash table by action */
	size_t mapped_room;		/* a power of two */
	struct loaded *policies;
	size_t policies_n;
	_Atomic unsigned refs;
};

/*
 * Loads file and all documents that it names. Mistakes, all of them, are added
 * to mistakes, a line each; NULL and ERR_STOP (EX_CONFIG, EX_NOPERM, EX_IOERR)
 * then. Lines in *warnings, which are no mistakes, only when it succeeds:
 * what a policy in shadow mode has not got, results that anybody can write.
 * The caller's reference.
 */
struct snapshot *snapshot_load(const char *file, struct buf *mistakes,
			       struct buf *warnings, struct err *e);

/*
 * Opens its archives, for who puts mail into them; the lines as above. -1: err
 * as journal_open() has it; the snapshot is the caller's as before.
 */
int snapshot_open(struct snapshot *s, struct buf *mistakes, struct err *e);

/* The one in force, held; NULL before the first. */
struct snapshot *snapshot_hold(void);

/* One more reference to a held one. */
struct snapshot *snapshot_hold_again(struct snapshot *s);
void snapshot_drop(struct snapshot *s);		/* NULL is allowed */

/* Takes over the caller's reference and drops the one before. */
void snapshot_put_in_force(struct snapshot *s);

/*
 * snapshot_load(), snapshot_open() and, if it is well,
 * snapshot_put_in_force(); else the old one stays. Counts and remembers which.
 * lines: mistakes and warnings.
 */
int snapshot_reload(const char *file, struct buf *lines, struct err *e);

/* How it stands with what is in force. */
struct snapshot_state {
	time_t loaded;		/* what is in force; 0: nothing */
	unsigned generation;
	time_t tried;		/* the last reload; 0: none */
	time_t failing_since;	/* the first reload that failed since one
				 * succeeded; 0: all is well */
	char *mistakes;		/* of the last one that failed, a line each;
				 * NULL: none; the caller's to free */
};
void snapshot_state(struct snapshot_state *state_r);

/* How the target of an action of one of this snapshot's rule sets is mapped.
 * One probe of a table. */
enum target_way snapshot_target(const struct snapshot *s,
				const struct action *x);

/* The archive that the action asks for, NULL: none; *storage_r is set if there
 * is one. */
const struct vault *snapshot_archive(const struct snapshot *s,
				       const struct action *x,
				       enum storage *storage_r);

/* The counters of a statement (behind the last one: the default, then the
 * size) and of a rule, by their place in the document. */
const struct counter *ingress_statement(const struct ingress *i, size_t index);
const struct counter *ingress_rule(const struct ingress *i, size_t index);

/* Counts what decided a recipient: a statement, the default, the size. */
void ingress_count_traffic(const struct ingress *i,
			   const struct verdict_recipient *v);

/* Counts the rules that matched in a message, each once, and their actions,
 * each once per rule. */
void ingress_count_rules(const struct ingress *i, const struct verdict *v);

#endif
