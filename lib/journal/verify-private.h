/*
 * verify-private - what is remembered while an archive is verified: verify.c
 * walks along the chain, verify-control.c compares what is missing with what
 * was said about it.
 */
#ifndef FALLBACKMX_VERIFY_PRIVATE_H
#define FALLBACKMX_VERIFY_PRIVATE_H

#include <stdbool.h>

#include "archive.h"
#include "control.h"
#include "verify.h"

/* A record without payload, or one that was to lose it. */
struct verify_erased {
	char id[FORMAT_ID_SIZE], sha256[2 * HASH_SIZE + 1];
};

struct verify_walk {
	struct verify *v;
	struct archive a;
	struct arena arena;	/* of control records */
	/* The place up to which all was looked at; chained: its hash is known,
	 * nothing damaged was passed since. */
	struct format_place at;
	uint8_t chain[HASH_SIZE];
	bool chained;
	bool met;		/* the place of v->against */
	struct verify_erased *erased, *orders;
	size_t erased_n, orders_n;
	const struct control_segment **pruned;
	size_t pruned_n;
};

/* Tells one finding and counts it. */
void verify_wrong(struct verify_walk *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void verify_note(struct verify_walk *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Keeps what a control record says. */
void verify_control(struct verify_walk *w, const struct format_record *r,
		    const char *metadata);

/* Keeps that r has no payload. */
void verify_erased(struct verify_walk *w, const struct format_record *r);

/* At the end: what is missing against what was said, and v->against. */
void verify_compare(struct verify_walk *w);

#endif
