/*
 * verify - whether an archive is what was written: every byte of it is under
 * a CRC, every message and its metadata under their hash, every record under
 * the chain, and what is missing is missing by a record that says so.
 *
 * Who can write the directory can also write another archive that is right in
 * itself; only a head of the chain that was kept elsewhere shows that.
 * Needs no lock, reads everything, one thread.
 */
#ifndef FALLBACKMX_VERIFY_H
#define FALLBACKMX_VERIFY_H

#include "format.h"
#include "lib/base/err.h"

enum verify_grade {
	VERIFY_NOTE,	/* explained, or harmless */
	VERIFY_WRONG,
};

struct verify {
	/* One finding, a line without foreign bytes. */
	void (*tell)(void *to, enum verify_grade grade, const char *line);
	void *to;
	const struct format_head *against;	/* NULL: none was kept */

	/* What was found. */
	uint64_t segments, messages, again, controls, erased, wrong;
	uint64_t raw_bytes, stored_bytes, file_bytes;
	struct format_head head;	/* as it is now */
};

/* 0: it was read, v->wrong counts what is wrong. Fails as archive_open(), or
 * with ERR_STOP (EX_IOERR). */
int verify_archive(struct verify *v, const char *dir, struct err *e);

#endif
