/*
 * archive-filter - the filters of archive-select.h, checked and prepared.
 */
#ifndef FALLBACKMX_ARCHIVE_FILTER_H
#define FALLBACKMX_ARCHIVE_FILTER_H

#include "archive-select.h"

struct filter {
	const struct select *given;
	int64_t since_us, until_us;
};

/* Fails with ERR_STOP (EX_USAGE). */
int filter_make(struct filter *f_r, const struct select *given, struct err *e);
void filter_free(struct filter *f);

/* What the record alone tells. */
bool filter_time(const struct filter *f, const struct format_record *r);

/* False: no text that is looked for stands in the metadata, which need not be
 * understood then. */
bool filter_metadata(const struct filter *f, const char *metadata);

/* The rest; the header is unpacked only if it is asked for. A message whose
 * bytes are gone has no header. */
bool filter_passes(const struct filter *f, const struct selected *x);

#endif
