/*
 * journal-private - what an open journal is made of: journal.c has the queue,
 * group.c writes what is in it, grow.c finds and begins segments.
 */
#ifndef FALLBACKMX_JOURNAL_PRIVATE_H
#define FALLBACKMX_JOURNAL_PRIVATE_H

#include <pthread.h>
#include <semaphore.h>

#include "journal.h"
#include "recent.h"
#include "segment.h"

#define JOURNAL_GROUP_MAX 128	/* records that one flush answers */

/* One who appends; on its stack. */
struct waiter {
	struct waiter *next;
	bool leads;		/* when it is woken: it writes for all */
	sem_t wake;
	struct format_record record;	/* place and chain are the leader's */
	const char *metadata;
	struct payload payload;
	uint32_t metadata_crc, data_crc;
	uint8_t header[FORMAT_RECORD_HEADER];
	int ret;
	bool full;
	struct err e;
};

/* Bytes that it takes if it has its payload itself. */
uint64_t waiter_size(const struct waiter *w);

struct journal {
	char *path, *shown;	/* shown: for messages */
	int dir, lock_fd;
	struct journal_options options;
	struct packer *packer;
	char found[256];

	pthread_mutex_t lock;	/* of the next six */
	struct waiter *first, **last;
	bool led;		/* somebody writes */
	struct journal_counts counts;
	uint64_t held;		/* bytes of those who append */
	pthread_cond_t less_held;

	/* The leader's. */
	uint8_t uuid[FORMAT_UUID];
	bool has_uuid;
	int fd;			/* of a segment that we began; -1 */
	bool own;		/* we began the last one: nobody else adds to
				 * it, and end and chain are known */
	uint32_t number;	/* of the last segment; 0: there is none */
	int64_t created_us;
	uint64_t end;		/* durable up to here */
	uint64_t room;		/* from there to here the file has zeros */
	uint8_t chain[HASH_SIZE];
	struct recent recent;
	uint64_t flushes, segments;	/* for counts */
};

/* All of a list of waiters, which stay linked: written and flushed, or each
 * has its error. Only one thread at a time. */
void group_commit(struct journal *j, struct waiter *first, size_t n);

/* Opens directory and lock as they stand at the path now, in place of those
 * that are open. -1: ERR_TEMP, errno, and those stay. */
int grow_open(struct journal *j, struct err *e);

/* Waits for other processes. Directory and lock are those that anybody else
 * finds: if they were replaced they are opened anew. Fails with ERR_TEMP. */
int grow_lock(struct journal *j, struct err *e);
void grow_unlock(struct journal *j);
/* The lock is still the one that others find: none was in meanwhile. */
bool grow_is_in_place(const struct journal *j);

/* Another process has begun a segment behind ours, or ours is gone. */
bool grow_was_overtaken(const struct journal *j);

/* The end is not known, or not any more: the last segment is another's, who may
 * have added to it. */
bool grow_must_look(const struct journal *j);

/* Finds where the archive ends and which keys are recent. Under the lock. */
int grow_find_end(struct journal *j, struct err *e);

/* Closes our segment, all of whose appends succeeded, without the room behind
 * its end. */
void grow_leave(struct journal *j);

/* Begins the next segment: it is on the disk, header and name. */
int grow_segment(struct journal *j, int64_t now_us, struct err *e);

#endif
