/*
 * record - what is written down beside an archived message, as JSON: who
 * brought it, for whom, how, and why it was archived (docs/internals.md, "The
 * archive"). Text that is not UTF-8 is {"base64": ...}. Pure.
 */
#ifndef FALLBACKMX_MILTER_RECORD_H
#define FALLBACKMX_MILTER_RECORD_H

#include "judge.h"
#include "lib/base/buf.h"
#include "plan.h"
#include "session.h"

#define RECORD_MAX ((size_t)16777216)	/* bytes */

struct record {
	const struct session *session;
	const struct judgement *judgement;	/* NULL: it was not judged */
	const struct plan *plan;
	const bool *wanted;	/* by recipient: a rule archives it for him;
				 * NULL: for all, without a rule */
};

void record_write(const struct record *x, struct buf *out);

#endif
