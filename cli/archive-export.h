/*
 * archive-export - where exported messages go: a file for each, a Maildir, an
 * mbox. What is there already from an earlier run is not written again; what
 * an interrupted run had begun is. Messages are written under another name
 * until they are whole and their hash is right.
 */
#ifndef FALLBACKMX_ARCHIVE_EXPORT_H
#define FALLBACKMX_ARCHIVE_EXPORT_H

#include "archive-select.h"
#include "lib/base/eol.h"

struct export_last;

struct export {
	const char *path;
	bool metadata;
	uint64_t written, there, gone;	/* gone: bytes erased or pruned */
	/* private */
	int dir, new, cur, tmp, json;
	char **names;			/* of cur, sorted */
	size_t names_n;
	int mbox, mbox_json;
	uint64_t mbox_size, json_size;
	struct export_last *last;	/* in the mbox, of each archive */
	size_t last_n;
	uint64_t since_saved;
};

struct export_kind {
	const char *name;
	int (*open)(struct export *x, struct err *e);
	/* Fails with ERR_STOP for this export, EX_DATAERR for this message. */
	int (*put)(struct export *x, struct selected *m, struct err *e);
	int (*close)(struct export *x, struct err *e);	/* all is on disk */
};

extern const struct export_kind export_eml, export_maildir, export_mbox;

/* The payload to fd; with lf, CRLF becomes LF; with quote, as mboxrd. Bytes
 * written are added to *size. */
enum export_form { EXPORT_RAW, EXPORT_LF, EXPORT_MBOX };
int export_payload(struct selected *m, int fd, enum export_form form,
		   uint64_t *size, struct err *e);

/* False: its bytes are gone, and x->gone counts it. */
bool export_has_bytes(struct export *x, const struct selected *m);

/* The only export that writes there; fd is what is locked. */
int export_lock(const struct export *x, int fd, struct err *e);

/* A new file of that name, in place of what was there: no link of somebody
 * else's is followed. -1: errno. */
int export_create(int dir, const char *name);

/* One line of JSON, with its newline; free(). */
char *export_json(const struct selected *m);

#endif
