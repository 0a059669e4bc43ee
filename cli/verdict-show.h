/*
 * verdict-show - the verdict of one message as words for people. Foreign bytes
 * are quoted.
 */
#ifndef FALLBACKMX_VERDICT_SHOW_H
#define FALLBACKMX_VERDICT_SHOW_H

#include "policy/verdict.h"
#include "session.h"

/* What was known and from where, then for each recipient the result and why:
 * v was made with VERDICT_FULL. The arena is for work. */
void verdict_explain(const char *message, const struct session *s,
		     const struct verdict *v, struct arena *a);

#endif
