/*
 * maintain - what the administrator does to an archive, while it may be
 * written: erase the bytes of a message, remove segments that have expired.
 * Each is recorded in the chain first (control.h), so that an interrupted one
 * can be done again. One process at a time (flock on `maintenance`). Files keep
 * their owner and mode.
 */
#ifndef FALLBACKMX_MAINTAIN_H
#define FALLBACKMX_MAINTAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "format.h"
#include "lib/base/err.h"

#define MAINTAIN_LOCK "maintenance"	/* its name in the directory */

/* What is common to both. */
struct maintain {
	const char *dir;
	int64_t now_us;
	int uid;		/* of who does it, for the record */
	bool dry;		/* only look */
};

/*
 * Takes the bytes of the message away for good: its segment is written anew,
 * with zeros (a hole) where they were; header, metadata and hashes stay, the
 * chain goes over it as before. *already_r: there were none any more.
 * Fails with ERR_STOP: as archive_find(); EX_DATAERR for what is no message of
 * its own; EX_TEMPFAIL, EX_IOERR.
 */
int maintain_erase(const struct maintain *m, const char *id,
		   const char *reason, bool *already_r, struct err *e);

#define PRUNE_DEFAULT "DEFAULT"

struct prune {
	/* How long mail is kept, a word that the archive remembers. NULL: what
	 * it remembers, or PRUNE_DEFAULT. */
	const char *word;
	/* What a word means; INT64_MAX: for ever, -1: unknown. */
	int64_t (*keep_of)(const char *word);
	bool remembered;	/* if it remembers nothing it is left alone */
	bool no_default;	/* if it remembers nothing it fails */
	bool shorten;		/* although it was to be kept longer */
	int64_t grace_us;	/* between the two steps */

	/* Each segment that goes; removed: for good. */
	void (*tell)(void *to, uint32_t segment, uint64_t records,
		     uint64_t bytes, int64_t first_us, int64_t last_us);
	void (*tell_removed)(void *to, uint32_t segment, uint64_t bytes);
	/* One of the first step that stays, for a reason. */
	void (*tell_held)(void *to, uint32_t segment, const char *why);
	void *to;

	/* What was done, or would be. */
	uint64_t segments, records, bytes;
	uint64_t removed, removed_bytes;
};

/*
 * Two steps. Segments of which every record is older than that, and every
 * one before them, get the name NUMBER.pruned-SECONDS: nothing reads them any
 * more, renaming them to NUMBER.segment brings them back. Those that have had
 * it for grace_us are removed, unless mail is to be kept longer now than it was
 * then, or that time has not come yet: a clock was wrong. One that is damaged
 * stays, with all behind it. The last one goes if there is mail in it: a
 * control record begins the next one first, so that nobody adds to it any more.
 * Fails with ERR_STOP; EX_CONFIG: the archive was promised a longer time, or
 * none (no_default);
 * EX_DATAERR: it is damaged, and nobody says how long mail is to be kept.
 */
int maintain_prune(const struct maintain *m, struct prune *p, struct err *e);

#endif
