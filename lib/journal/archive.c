#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archive.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

static int
stop(struct err *e, int error, const char *path)
{
	char shown[320];

	e->kind = ERR_STOP;
	e->code = error == ENOENT || error == ENOTDIR ? EX_NOINPUT
		  : error == EACCES || error == EPERM ? EX_NOPERM : EX_IOERR;
	text_quote(shown, sizeof(shown), path, strlen(path));
	return err_prefix(e, "cannot open the archive %s", shown);
}

int
archive_open(struct archive *a_r, const char *dir, struct err *e)
{
	char shown[320];

	memset(a_r, 0, sizeof(*a_r));
	a_r->segment.fd = a_r->ahead.fd = a_r->other.fd = -1;
	a_r->dir = fsio_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (a_r->dir < 0) {
		const int error = errno;

		err_errno(e, "it cannot be opened");
		return stop(e, error, dir);
	}
	if (segment_list(a_r->dir, &a_r->numbers, &a_r->n, e) < 0) {
		const int error = errno;

		archive_close(a_r);
		return stop(e, error, dir);
	}
	if (a_r->n > 0)
		return 0;
	archive_close(a_r);
	text_quote(shown, sizeof(shown), dir, strlen(dir));
	return err_stop(e, EX_NOINPUT, "cannot read the archive %s: nothing "
			"was archived there", shown);
}

void
archive_close(struct archive *a)
{
	segment_close(&a->segment);
	segment_close(&a->ahead);
	segment_close(&a->other);
	free(a->numbers);
	a->numbers = NULL;
	fsio_close(&a->dir);
}

static enum archive_found
told(int ret, const struct err *e)
{
	if (ret == 0)
		return ARCHIVE_RECORD;
	return e->kind == ERR_PERM ? ARCHIVE_DAMAGED : ARCHIVE_FAILED;
}

/* Where a segment ends is said by the one behind it. Without that, or if it is
 * damaged, its own bytes say so. */
static uint64_t
find_end(struct archive *a, uint32_t number)
{
	struct err e;

	segment_close(&a->ahead);
	return segment_open(&a->ahead, a->dir, number + 1, &e) < 0
		? UINT64_MAX : a->ahead.header.previous_end;
}

/* Nobody removes one between two others. Told once. */
static enum archive_found
tell_gap(struct archive *a, uint32_t number, struct err *e)
{
	err_set(e, ERR_PERM, "segments %" PRIu32 " to %" PRIu32 " are missing",
		a->opened + 1, number - 1);
	a->opened = 0;
	return ARCHIVE_DAMAGED;
}

static enum archive_found
next_segment(struct archive *a, struct err *e)
{
	const uint32_t number = a->numbers[a->next];
	int ret;

	if (a->opened != 0 && number != a->opened + 1)
		return tell_gap(a, number, e);
	a->opened = 0;
	segment_close(&a->segment);
	ret = segment_open(&a->segment, a->dir, number, e);
	a->next++;
	a->at = FORMAT_SEGMENT_HEADER;
	if (ret < 0 && e->kind != ERR_PERM && errno == ENOENT)
		return ARCHIVE_DAMAGED;		/* pruned this moment */
	if (ret == 0) {
		a->opened = number;
		a->end = find_end(a, number);
	}
	return told(ret, e);
}

/* What was not there when a->at was read may have been written since, with all
 * behind it. */
static bool
has_come(struct archive *a)
{
	struct format_record r;
	const char *metadata;
	struct err e;

	a->segment.window_n = 0;
	return segment_record(&a->segment, a->at, &r, &metadata, &e) ==
	       SEGMENT_RECORD;
}

/* Behind the damage at a->at; the error gets the segment's number. If there is
 * none any more: ARCHIVE_RECORD, a->at stays. */
static enum archive_found
pass(struct archive *a, struct err *e)
{
	const uint32_t number = a->segment.header.number;
	const uint64_t next = segment_pass(&a->segment, a->at);
	/* An append that is going on, or was cut off: nothing is behind it. */
	const bool torn = a->next >= a->n && next >= a->segment.size;

	if (a->next >= a->n && !torn && has_come(a))
		return ARCHIVE_RECORD;
	a->at = next;
	if (next >= a->segment.size)
		segment_close(&a->segment);
	if (torn)
		return ARCHIVE_END;
	err_prefix(e, "segment %" PRIu32, number);
	return ARCHIVE_DAMAGED;
}

static enum archive_found
tell_cut(struct archive *a, struct err *e)
{
	err_set(e, ERR_PERM, "segment %" PRIu32 " ends at %" PRIu64 ", and not "
		"at %" PRIu64 " as the next one says", a->segment.header.number,
		a->at, a->end);
	segment_close(&a->segment);
	return ARCHIVE_DAMAGED;
}

enum archive_found
archive_next(struct archive *a, struct format_record *r_r,
	     const char **metadata_r, struct err *e)
{
	for (;;) {
		enum segment_found found = SEGMENT_END;

		if (a->segment.fd >= 0 && a->at < a->end)
			found = segment_record(&a->segment, a->at, r_r,
					       metadata_r, e);
		if (found == SEGMENT_RECORD) {
			a->at += format_record_size(r_r);
			return ARCHIVE_RECORD;
		}
		if (found == SEGMENT_FAILED)
			return ARCHIVE_FAILED;
		if (found == SEGMENT_DAMAGED) {
			const enum archive_found passed = pass(a, e);

			if (passed == ARCHIVE_RECORD)
				continue;
			return passed;
		}
		if (a->segment.fd >= 0 && a->at < a->end &&
		    a->end != UINT64_MAX)
			return tell_cut(a, e);
		if (a->next >= a->n)
			return ARCHIVE_END;
		if (next_segment(a, e) != ARCHIVE_RECORD) {
			if (e->kind == ERR_PERM || errno == ENOENT)
				return ARCHIVE_DAMAGED;
			return ARCHIVE_FAILED;
		}
	}
}

void
archive_seek(struct archive *a, struct format_place behind)
{
	struct format_record r;
	const char *metadata;
	struct err e;

	segment_close(&a->segment);
	a->next = 0;
	a->opened = 0;
	while (a->next < a->n && a->numbers[a->next] < behind.segment)
		a->next++;
	if (a->next == a->n || a->numbers[a->next] != behind.segment ||
	    next_segment(a, &e) != ARCHIVE_RECORD)
		return;
	a->at = behind.offset;
	if (segment_record(&a->segment, a->at, &r, &metadata, &e) ==
	    SEGMENT_RECORD)
		a->at += format_record_size(&r);
	else
		a->at = segment_pass(&a->segment, a->at);
}

static bool
has_segment(const struct archive *a, uint32_t number)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->numbers[i] == number)
			return true;
	return false;
}

/* The record at a place, read through s. */
static int
find_place(struct archive *a, struct segment *s, struct format_place place,
	   struct format_record *r_r, const char **metadata_r, struct err *e)
{
	enum segment_found found = SEGMENT_END;

	segment_close(s);
	if (segment_open(s, a->dir, place.segment, e) < 0)
		return err_stop(e, EX_DATAERR, "it cannot be read");
	if (place.offset < find_end(a, place.segment))
		found = segment_record(s, place.offset, r_r, metadata_r, e);
	if (found == SEGMENT_RECORD)
		return 0;
	if (found == SEGMENT_END)
		return err_stop(e, EX_NOINPUT, "no record begins there");
	e->kind = ERR_STOP;
	e->code = found == SEGMENT_FAILED ? EX_IOERR : EX_DATAERR;
	return -1;
}

/* ", it is there as NAME" of one that was pruned and not removed yet. */
static const char *
name_pruned(const struct archive *a, uint32_t number, char shown[120])
{
	int fd = fsio_openat(a->dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char begin[FORMAT_NAME_SIZE], name[64];
	struct dirent *f;

	shown[0] = '\0';
	snprintf(begin, sizeof(begin), "%010" PRIu32 ".pruned-", number);
	while (d != NULL && (f = readdir(d)) != NULL)
		if (strncmp(f->d_name, begin, strlen(begin)) == 0)
			snprintf(shown, 120, ", its bytes are in %s until that "
				 "is removed", text_quote(name, sizeof(name),
				 f->d_name, strlen(f->d_name)));
	if (d != NULL)
		closedir(d);
	else
		fsio_close(&fd);
	return shown;
}

int
archive_find(struct archive *a, const char *id, struct format_record *r_r,
	     const char **metadata_r, struct err *e)
{
	char shown[80], where[120];
	struct format_place place;
	int ret;

	text_quote(shown, sizeof(shown), id, strlen(id));
	if (!format_place(id, &place))
		return err_stop(e, EX_USAGE, "cannot find %s: expected an id "
				"of 12 characters, as fallbackmx archive list "
				"prints it", shown);
	if (!has_segment(a, place.segment))
		return err_stop(e, EX_NOINPUT, "cannot find %s: there is no "
				"segment %" PRIu32 " (any more)%s", shown,
				place.segment,
				name_pruned(a, place.segment, where));
	ret = find_place(a, &a->segment, place, r_r, metadata_r, e);
	return ret < 0 ? err_prefix(e, "cannot find %s: segment %" PRIu32,
				    shown, place.segment) : 0;
}

/* The record that has the bytes of r, in a->other. */
static int
find_first(struct archive *a, const struct format_record *r,
	   struct format_record *first_r, struct err *e)
{
	const char *metadata;
	char id[FORMAT_ID_SIZE];

	format_id(r->first, id);
	if (!has_segment(a, r->first.segment) ||
	    find_place(a, &a->other, r->first, first_r, &metadata, e) < 0)
		return err_stop(e, EX_UNAVAILABLE, "its bytes were those of "
				"%s, which is not there any more", id);
	if (memcmp(first_r->payload_hash, r->payload_hash, HASH_SIZE) != 0)
		return err_stop(e, EX_DATAERR, "%s has other bytes", id);
	return 0;
}

struct payload_reader *
archive_payload(struct archive *a, const struct format_record *r,
		struct err *e)
{
	struct format_record first = *r;
	char id[FORMAT_ID_SIZE];

	if (r->type == FORMAT_AGAIN && find_first(a, r, &first, e) < 0)
		return NULL;
	format_id(first.place, id);
	if (r->type == FORMAT_CONTROL)
		err_stop(e, EX_UNAVAILABLE, "%s is no message", id);
	else if (first.state == FORMAT_ERASED)
		err_stop(e, EX_UNAVAILABLE, "the bytes of %s were erased", id);
	else
		return payload_open(r->type == FORMAT_AGAIN ? a->other.fd
				    : a->segment.fd, &first);
	return NULL;
}
