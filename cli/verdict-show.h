/*
 * verdict-show - the verdict of one message, as words for people and as JSON
 * for programs. Foreign bytes are quoted. Both write to stdout.
 */
#ifndef FALLBACKMX_VERDICT_SHOW_H
#define FALLBACKMX_VERDICT_SHOW_H

#include "policy/verdict.h"
#include "session.h"

/* What was known and from where, then for each recipient the result and why:
 * v was made with VERDICT_FULL. The arena is for work. */
void verdict_explain(const char *message, const struct session *s,
		     const struct verdict *v, struct arena *a);

/*
 * One line:
 * {"message":"FILE","recipients":[{"recipient":"a@b","traffic":{"verdict":
 * "ALLOW|DENY","by":"STATEMENT|DEFAULT|SIZE","statement":0},"rules":[{"name":
 * "r","index":0,"matched":true,"actions":["AddHeader"]}],"disposition":
 * "ACCEPT|DROP|REJECT|TEMPFAIL|QUARANTINE","recipients_after":["c@d"]}]}
 * statement is null unless by STATEMENT. Always valid UTF-8.
 */
void verdict_json(const char *message, const struct verdict *v);

extern const char *const disposition_names[];

#endif
