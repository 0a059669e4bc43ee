#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "recent.h"

static const uint8_t none[HASH_SIZE];

/* Keys are hashes; four bytes of one are as good as another hash of it. */
static uint32_t *
bucket_of(const struct recent *k, const uint8_t key[HASH_SIZE])
{
	uint32_t n;

	memcpy(&n, key, sizeof(n));
	return &k->buckets[n % RECENT_MAX];
}

static void
drop(struct recent *k, uint32_t index)
{
	uint32_t *at = bucket_of(k, k->all[index].key);

	while (*at != index + 1)
		at = &k->all[*at - 1].next;
	*at = k->all[index].next;
}

void
recent_add(struct recent *k, const struct format_record *r)
{
	const uint32_t index = (uint32_t)(k->n % RECENT_MAX);
	struct recent_entry *x;
	uint32_t *bucket;

	if (memcmp(r->key, none, HASH_SIZE) == 0)
		return;
	if (k->all == NULL) {
		k->all = mem_alloc(RECENT_MAX * sizeof(*k->all));
		k->buckets = mem_alloc(RECENT_MAX * sizeof(*k->buckets));
	}
	if (k->n >= RECENT_MAX)
		drop(k, index);
	k->n++;
	x = &k->all[index];
	bucket = bucket_of(k, r->key);
	memcpy(x->key, r->key, HASH_SIZE);
	memcpy(x->hash, r->payload_hash, HASH_SIZE);
	x->place = r->place;
	x->time_us = r->time_us;
	x->next = *bucket;
	*bucket = index + 1;
}

const struct recent_entry *
recent_find(const struct recent *k, const uint8_t key[HASH_SIZE])
{
	if (k->all == NULL || memcmp(key, none, HASH_SIZE) == 0)
		return NULL;
	for (uint32_t i = *bucket_of(k, key); i != 0; i = k->all[i - 1].next)
		if (memcmp(k->all[i - 1].key, key, HASH_SIZE) == 0)
			return &k->all[i - 1];
	return NULL;
}

/* Keys of zeros are never asked for. */
void
recent_forget(struct recent *k, struct format_place place)
{
	const size_t n = k->n < RECENT_MAX ? k->n : RECENT_MAX;

	for (size_t i = 0; i < n; i++) {
		struct recent_entry *x = &k->all[i];

		if (x->place.segment != place.segment ||
		    x->place.offset != place.offset)
			continue;
		drop(k, (uint32_t)i);
		memset(x->key, 0, HASH_SIZE);
		x->next = *bucket_of(k, x->key);
		*bucket_of(k, x->key) = (uint32_t)i + 1;
	}
}

void
recent_free(struct recent *k)
{
	free(k->all);
	free(k->buckets);
	*k = (struct recent){ .all = NULL };
}
