/*
 * archive-select - messages of archives that filters let through, one after
 * the other, with their metadata; and the one that an id names.
 *
 * Texts are compared as AWS's archive search does, CONTAINS: ASCII case
 * ignored. Header fields are unfolded and decoded.
 */
#ifndef FALLBACKMX_ARCHIVE_SELECT_H
#define FALLBACKMX_ARCHIVE_SELECT_H

#include <jansson.h>

#include "archives.h"
#include "lib/base/option.h"
#include "lib/journal/archive.h"

/* The filters, as they were given; NULL: not. */
struct select {
	const char *since, *until, *envelope_from, *envelope_to, *queue_id,
		*client;
	struct option_list header;	/* NAME=TEXT */
};

#define SELECT_TEXT(type, field, word, name_, text)                            \
	{ .name = name_, .argument = word, .kind = OPTION_STRING,              \
	  .offset = offsetof(type, select.field), .help = text }
#define SELECT_ROWS(type)                                                      \
	SELECT_TEXT(type, since, "TIME", "since",                              \
		    "archived then or later: 2026-11-22, "                     \
		    "2026-11-22T10:00:00Z"),                                   \
	SELECT_TEXT(type, until, "TIME", "until", "archived before that"),     \
	SELECT_TEXT(type, envelope_from, "TEXT", "envelope-from",              \
		    "the envelope's sender contains it"),                      \
	SELECT_TEXT(type, envelope_to, "TEXT", "envelope-to",                  \
		    "a recipient of the envelope contains it"),                \
	SELECT_TEXT(type, client, "TEXT", "client",                            \
		    "the client's address, name or HELO contains it"),         \
	SELECT_TEXT(type, queue_id, "ID", "queue-id",                          \
		    "Postfix's queue id is that one"),                         \
	{ .name = "header", .argument = "NAME=TEXT", .kind = OPTION_LIST,      \
	  .offset = offsetof(type, select.header),                             \
	  .help = "a header field of that name contains it; all of "           \
		  "several must" }

/* One message. */
struct selected {
	const char *archive;	/* its name, "": none */
	struct archive *a;
	const struct format_record *r;
	json_t *metadata;	/* an object; empty when it is none */
	char id[320];		/* NAME/ID, or ID */
};

/* What goes on with each; 0: go on, 1: enough, -1: e. */
struct select_work {
	int (*each)(void *to, struct selected *x, struct err *e);
	void *to;
	bool controls;		/* also what was done to the archive */
};

/*
 * All that pass. Damage is said, passed, and counted in *code, which becomes
 * EX_DATAERR. Fails with ERR_STOP: EX_USAGE (a filter), as archives_open() and
 * archive_open(), or as `each` does.
 */
int select_each(const struct archives *s, const struct select *f,
		const struct select_work *work, int *code, struct err *e);

/* Calls each once. Fails as archive_find(). */
int select_one(const struct archives *s, const char *id,
	       const struct select_work *work, struct err *e);

/* A text of the metadata: a string, or the bytes of {"base64": ...}; "" if
 * there is none. Valid as long as the metadata; of base64 four at a time. */
const char *select_text(const json_t *value);

/* 2026-11-22T10:00:00Z */
void select_time(int64_t us, char out[24]);

/* The whole of it as one JSON object; the caller's reference. */
json_t *select_json(const struct selected *x);

/* Prints o, which the caller gives away, as a line. */
void select_print_json(json_t *o);

#endif
