/*
 * judge - asks the policies of an ingress point: about a recipient at RCPT,
 * about the message at its end.
 *
 * The traffic policy is asked at RCPT where it can be: not when a fallback
 * relay brings the mail, whose client is known only at the end, nor when it
 * asks an analyzer. Then recipients that it could tell apart do not share a
 * message. A policy in shadow mode refuses nobody; it is asked at the end,
 * together with the enforced other one: what would have been. Pure.
 */
#ifndef FALLBACKMX_MILTER_JUDGE_H
#define FALLBACKMX_MILTER_JUDGE_H

#include "message.h"
#include "policy/verdict.h"
#include "reply.h"

/* A recipient's trail is kept whole in messages with fewer than this. */
#define JUDGE_TRAIL_MAX 100

struct judgement {
	struct facts facts;
	struct verdict verdict;	/* of what is enforced */
	struct verdict shadow;	/* as if all were enforced */
	bool has_shadow;
	bool limits;	/* an enforced policy wanted to see more header than
			 * is looked at */
};

/* What a session is, for the policies; head and recipients are not set. */
void judge_facts(const struct message *m, const char *helo,
		 struct facts *f_r);

/*
 * One RCPT: text as libmilter has it, address what it means. True: taken into
 * the message. False: why and the answer; *by_r tells what decided when why is
 * REFUSAL_POLICY (memory: the message's).
 */
bool judge_recipient(struct message *m, const char *helo, const char *text,
		     const char *address, enum refusal *why_r,
		     struct reply *reply_r,
		     struct verdict_recipient *by_r);

/*
 * The whole message. trail: keep the steps that did not match, too. 0, or -1
 * when the facts cannot be told: *why_r says what is missing. Memory: the
 * message's.
 */
int judge_message(struct message *m, const char *helo, bool trail,
		  struct judgement *j_r, const char **why_r);

#endif
