/*
 * journal-help - archives of unit tests: messages that are text, and what is
 * in an archive afterwards.
 */
#ifndef FALLBACKMX_JOURNAL_HELP_H
#define FALLBACKMX_JOURNAL_HELP_H

#include "lib/journal/archive.h"
#include "lib/journal/journal.h"
#include "scratch.h"

#define DAY_US ((int64_t)86400 * 1000000)

extern struct journal_options options;
extern struct err e;

struct journal *open_journal(const char *dir);

/* Appends text; key is one byte repeated, 0: none. */
struct journal_receipt add(struct journal *j, int64_t time_us, uint8_t key,
			   const char *text);

/* The bytes of a record; free(). */
char *bytes_of(struct archive *a, const struct format_record *r, size_t *n_r);

/* The archive has that message. */
void has(const char *dir, const char *id, const char *text);

/* Records that can be read; all of them, or to the first damage. */
size_t count_records(const char *dir);

#endif
