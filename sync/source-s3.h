/*
 * source-s3 - what the files of the S3 source share.
 *
 * One thread drives all requests (lib/aws/aws.h): GETs of what comes next in
 * the listing, DELETEs of what is delivered, and the listing of the page after
 * this one. Bytes that wait for the engine are bounded by S3_WINDOW_BYTES and
 * the object that goes beyond.
 */
#ifndef FALLBACKMX_SOURCE_S3_H
#define FALLBACKMX_SOURCE_S3_H

#include "lib/aws/aws.h"
#include "lib/aws/checksum.h"
#include "lib/aws/s3-page.h"
#include "source.h"

#define S3_KEY_MAX 1024		/* bytes of a key (S3 User Guide) */
#define S3_WINDOW 256		/* objects fetched ahead */
#define S3_WINDOW_BYTES ((uint64_t)16 << 20)	/* and bytes */
#define S3_REMOVING_MAX 2048	/* removals under way; then they go first */
#define S3_SILENT_MAX 8		/* requests without answer: it is not there */
#define S3_EMPTY_MAX 10000	/* pages in a row without an object; S3 gives
				 * some where there are many delete markers */

enum slot_state {
	SLOT_UNWANTED,		/* handed out without its bytes */
	SLOT_GETTING,
	SLOT_READY,		/* result tells */
};

/* An object on its way to the engine. */
struct slot {
	struct source_s3 *of;
	struct slot *next;
	struct object object;	/* texts are ours */
	char *key;		/* with the source's prefix */
	char *match;		/* If-Match: the ETag with its quotes */
	char *version;		/* of a bucket with versions */
	enum slot_state state;
	enum fetch result;
	struct err err;
	struct aws_call call;
	struct checksum sum;
	/* small ones in memory, others in a spooler of their own */
	char *data;
	uint64_t size, reserved;
	struct spooler *spooler;
	struct spool spool;
};

enum conditional {
	CONDITIONAL_UNKNOWN,	/* not asked yet */
	CONDITIONAL_ASKED,
	CONDITIONAL_UNSURE,	/* no clear answer: a HEAD before, and
				 * If-Match */
	CONDITIONAL_HONOURED,	/* a DELETE with If-Match is safe */
	CONDITIONAL_IGNORED,	/* the server would delete anything */
};

/* A removal under way. */
struct s3_removal {
	struct source_s3 *of;
	struct s3_removal *next, **link;	/* of all; what points here */
	struct s3_removal *waits;	/* for the next round */
	unsigned tries;			/* whose end was unclear */
	bool told;			/* DeleteObjects has, of it */
	char *refused;			/* what it said, if not "deleted" */
	void *ticket;
	const struct object *object;
	const struct version *version;
	char *key, *match, *found;	/* found: version id that HEAD told */
	struct aws_call call;
};

struct source_s3 {
	struct source *source;
	struct aws *aws;
	struct cred *cred;
	const char *bucket, *prefix;
	/* the listing: the page in work, and the next one; oldest first */
	struct s3_page page, ahead;
	size_t at;		/* handed to the window */
	char *token;		/* of the page that is asked for */
	char *greatest;		/* key of the pages so far */
	unsigned empty;		/* pages in a row */
	struct aws_call listing;
	bool began, asking;	/* it is under way */
	bool ready;		/* ahead is there */
	bool list_failed, broken;	/* it cannot go on */
	struct err err;		/* why no more can be listed */
	/* fetched ahead, in the order of handing out */
	struct slot *first, **last, *handed;
	size_t slots;
	uint64_t bytes;
	unsigned calls;		/* of next(), to drive now and then */
	unsigned silent;	/* requests without answer since the last one */
	/* removals */
	enum conditional conditional;
	bool versioned;		/* or was once: what has no id has "null" */
	struct aws_call probe;
	char *probe_key;
	struct buf probe_body;
	struct s3_removal *removals;	/* all that are under way */
	size_t removing;
	struct s3_removal *waiting;	/* for a round */
	size_t waiting_n;
	size_t rounds;		/* that still compare */
	bool no_chunks;		/* the server has no DeleteObjects */
};

/* e: what was refused or failed, at which object, and what to do about it;
 * right names the IAM action that the call needs. */
int s3_complain(const struct source_s3 *s, const struct aws_call *c,
		const char *doing, const char *key, const char *right,
		struct err *e);
/* Counts calls without an answer; after some of them the source is given up. */
void s3_heard(struct source_s3 *s, const struct aws_call *c);

/* The next object of the window; begins to get it. */
void s3_slot_add(struct source_s3 *s, const struct s3_object *o);
void s3_slot_free(struct slot *t);
enum fetch s3_fetch(struct source *s, const struct object *o,
		    struct spooler *sp, struct spool *r_r,
		    struct version *v_r, struct err *e);

void s3_remove(struct source *s, const struct object *o,
	       const struct version *v, void *ticket);
void s3_finish(struct source *s);
/* One that is in no round any more: what is done next, and its end. call is
 * what failed for it. */
void s3_removal_delete(struct s3_removal *r);
void s3_removal_look(struct s3_removal *r);
void s3_removal_failed(struct s3_removal *r, const struct aws_call *call);
void s3_removal_unclear(struct s3_removal *r, const struct aws_call *call);
void s3_removal_end(struct s3_removal *r, enum removal how,
		    const struct err *e);
/* Starts to remove what waits, unless a round is still looking or more may come
 * that it can look for as well; last: nothing more will. */
void s3_round_due(struct source_s3 *s, bool last);
/* Tells the engine that they were given up. */
void s3_removals_free(struct source_s3 *s);

int source_s3_name(const struct source_settings *settings,
		   struct source_name *n, struct err *e);
int source_s3_open(struct source *s, struct err *e);

/* The run is to end: nothing more is waited for but removals under way. */
bool s3_stopping(const struct source_s3 *s);

/* Drives all requests until something happens, ms at most. */
int s3_drive(struct source_s3 *s, struct pollfd *fds, nfds_t n, int ms);

#endif
