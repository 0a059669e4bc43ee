/*
 * head - the header section of a mail, cut into its fields (RFC 5322, 2.2).
 *
 * Fields point into the caller's bytes, which must outlive them, or are added
 * one by one as a milter gets them. A line without colon, or with something
 * other than printable ASCII in front of it, belongs to no field and is
 * skipped; blanks between name and colon (RFC 5322, 4.5) are not part of the
 * name. Lines end in CRLF or LF; the first empty one ends the header.
 *
 * Hostile mail has a million fields or one of a gigabyte. Looked at are
 * HEAD_FIELDS_MAX fields, HEAD_FIELD_MAX bytes of each, HEAD_BYTES_MAX bytes
 * of all, names and values counted; what lies beyond is left out and `limits`
 * says so. Linear time. Pure. Memory is the arena's. No threads.
 */
#ifndef FALLBACKMX_HEAD_H
#define FALLBACKMX_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

#define HEAD_FIELDS_MAX ((size_t)2000)
#define HEAD_FIELD_MAX ((size_t)102400)
#define HEAD_BYTES_MAX ((size_t)1048576)

struct head_field {
	const char *name;	/* not ended by NUL */
	size_t name_n;
	const char *value;	/* behind the colon, folds as they stand, the
				 * last line end left away; not ended by NUL */
	size_t value_n;
	bool cut;		/* its end was left out (HEAD_FIELD_MAX ...) */
};

/* Zero-initialised is valid and empty. */
struct head {
	struct head_field *fields;	/* in the order of the mail */
	size_t n;
	size_t size;	/* of head_read: bytes up to the body, the empty line
			 * included */
	bool limits;	/* something was left out */
	/* private */
	size_t room, bytes;
};

/* Cuts one field off; *at moves to what is behind it. False: there is no more,
 * and *at is at the body or at the end. No limits, no memory. */
bool head_cut(const char **at, const char *end, struct head_field *f_r);

/* Reads text (n bytes: the whole mail or its beginning). */
void head_read(struct head *h_r, const char *text, size_t n, struct arena *a);

/* Adds one field whose name and value are ended by NUL; both are copied. A
 * name that head_read would not take for one is left out. */
void head_add(struct head *h, const char *name, const char *value,
	      struct arena *a);

/* The field has that name; ASCII case ignored. */
bool head_is(const struct head_field *f, const char *name);

/* The first field of that name behind `after`, NULL: from the start. NULL if
 * there is none. */
const struct head_field *head_next(const struct head *h, const char *name,
				   const struct head_field *after);

/*
 * Writes the value unfolded (RFC 5322, 2.2.3) to out, blanks at both ends
 * removed, cut to room - 1 bytes; raw bytes otherwise, but NUL and a lone CR
 * or LF become a blank. Ended by NUL. room: at least 1.
 */
void head_unfold(const struct head_field *f, char *out, size_t room);

/* head_unfold of all of it into the arena. */
const char *head_value(const struct head_field *f, struct arena *a);

#endif
