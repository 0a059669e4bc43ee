/*
 * verdict-json - a verdict as JSON for programs: what `policy test --json`
 * prints and the milter's JSON log carries, word for word.
 */
#ifndef FALLBACKMX_VERDICT_JSON_H
#define FALLBACKMX_VERDICT_JSON_H

#include "lib/base/buf.h"
#include "verdict.h"

/*
 * One object without a line end:
 * {"message":"FILE","recipients":[{"recipient":"a@b","traffic":{"verdict":
 * "ALLOW|DENY","by":"STATEMENT|DEFAULT|SIZE","statement":0},"rules":[{"name":
 * "r","index":0,"matched":true,"actions":["AddHeader"]}],"disposition":
 * "ACCEPT|DROP|REJECT|TEMPFAIL|QUARANTINE","recipients_after":["c@d"]}]}
 * statement is null unless by STATEMENT. Always valid UTF-8.
 */
void
verdict_json(struct buf *out, const char *message, const struct verdict *v);

/* The same without the rules that did not match, for what is kept for long. */
void verdict_json_matched(struct buf *out, const char *message,
			  const struct verdict *v);

/* Any bytes as a JSON string with its quotes; what is no UTF-8 becomes
 * U+FFFD. */
void verdict_json_string(struct buf *out, const char *text);

/* The words above, by enum disposition. */
extern const char *const disposition_names[];

#endif
