/*
 * logline - what is said of a message: one line, key=value or JSON.
 *
 *   4bXyz1: result=accepted code=250 ingress=mx route=direct client=192.0.2.1
 *   helo=a.example from=bob@a.example nrcpt=1 to=alice@b.example size=4711
 *   tls=TLSv1.3 rules=mark actions=AddHeader ms=0.21
 *
 * Values are printable ASCII without blanks, quotes and backslashes; other
 * bytes stand as \xHH. What is not known is left away. NOQUEUE stands for a
 * sender or recipient that was refused before there was a queue id.
 * JSON (one object a line) has the words of SES's own logs where it has them,
 * and `verdict` is what `fallbackmx policy test --json` prints.
 */
#ifndef FALLBACKMX_MILTER_LOGLINE_H
#define FALLBACKMX_MILTER_LOGLINE_H

#include "judge.h"
#include "message.h"
#include "plan.h"

/* At the end of a message. j: NULL if it was not judged. shadow: what the plan
 * would have been if all were enforced; NULL: nothing is in shadow mode. */
struct logline_end {
	const struct message *message;
	const char *helo;
	const struct judgement *judgement;
	const struct plan *plan, *shadow;
	double seconds;		/* since the mail ended */
	int64_t wall_ms;	/* since 1970 */
};
void logline_end(const struct logline_end *x, bool json, struct buf *out);

/* A sender (address NULL) or a recipient was refused. */
struct logline_refusal {
	const struct message *message;
	const char *helo, *address;
	enum refusal why;
	const struct reply *reply;
	const struct verdict_recipient *by;	/* of REFUSAL_POLICY or NULL */
	int64_t wall_ms;
};
void logline_refusal(const struct logline_refusal *x, bool json,
		     struct buf *out);

#endif
