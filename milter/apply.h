/*
 * apply - tells the MTA what a plan changes. One of the few files that know
 * libmilter; legal at end of message only.
 */
#ifndef FALLBACKMX_MILTER_APPLY_H
#define FALLBACKMX_MILTER_APPLY_H

#include <libmilter/mfapi.h>
#include <stdbool.h>

#include "plan.h"

/*
 * Does all edits of the plan, in its order. blank: values keep the blank in
 * front, so we write one (SMFIP_HDR_LEADSPC). NULL, or in words which edit the
 * MTA did not take; it forgets those before as long as the answer is not to
 * accept.
 */
const char *apply_plan(SMFICTX *ctx, const struct plan *p, bool blank);

/* Sets the answer and returns what the callback returns. */
sfsistat apply_answer(SMFICTX *ctx, const struct plan *p);

/* The same for a refusal at MAIL or RCPT. */
sfsistat apply_reply(SMFICTX *ctx, const struct reply *r);

#endif
