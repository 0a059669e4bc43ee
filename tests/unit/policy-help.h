/*
 * policy-help - a policy, a mail and what is known of it, for the tests of
 * policy/. Everything that is not given is what an ordinary mail has.
 */
#ifndef FALLBACKMX_POLICY_HELP_H
#define FALLBACKMX_POLICY_HELP_H

#include "lib/base/arena.h"
#include "lib/mail/head.h"
#include "policy/policy.h"
#include "policy/verdict.h"
#include "unit.h"

struct world {
	struct arena a;
	struct policy *p;
	struct buf lines;	/* the mistakes */
	size_t mistakes;
	bool aws;
	struct head head;
	struct facts f;
	struct verdict v;
};

void world_begin(struct world *w);
void world_end(struct world *w);

/* name: of an address list, or NULL. */
enum policy_kind world_add(struct world *w, enum policy_kind kind,
			   const char *name, const char *text);

/* The same; any mistake fails the test, which shows it. */
void world_load(struct world *w, const char *name, const char *text);

/* head: NULL for none (RCPT). */
void world_mail(struct world *w, const char *head);

/* To the only recipient, or these. */
void world_rcpt(struct world *w, const char *const *recipients, size_t n);

void world_judge(struct world *w, int flags);

/* The recipients that are left: "a@b c@d". */
const char *world_after(struct world *w, size_t recipient);

/* Names of the actions, in order: "AddHeader Drop". */
const char *world_actions(struct world *w, size_t recipient);

#endif
