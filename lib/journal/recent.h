/*
 * recent - the keys of the last RECENT_MAX messages, with the hash of their
 * bytes and their place. The oldest one goes when there is no room. No
 * threads: the caller locks.
 */
#ifndef FALLBACKMX_RECENT_H
#define FALLBACKMX_RECENT_H

#include "format.h"

#define RECENT_MAX 16384	/* 2 MiB */

struct recent_entry {
	uint8_t key[HASH_SIZE], hash[HASH_SIZE];
	struct format_place place;
	int64_t time_us;
	uint32_t next;		/* private: in its bucket, 1 + index */
};

struct recent {
	struct recent_entry *all;	/* a ring */
	uint32_t *buckets;	/* 1 + index of the newest; 0: none */
	size_t n;		/* ever added */
};

/* Zero-initialised is empty. A key of zeros is none. */
void recent_add(struct recent *k, const struct format_record *r);
/* The newest one with that key; NULL. Valid until the next recent_add. */
const struct recent_entry *recent_find(const struct recent *k,
				       const uint8_t key[HASH_SIZE]);
/* The one at that place is found no more. */
void recent_forget(struct recent *k, struct format_place place);
void recent_free(struct recent *k);

#endif
