/*
 * look - one message while a policy looks at it.
 *
 * Conditions share what they look at: a slot is one thing that candidates can
 * come from ("the texts and addresses of From"). A policy numbers its slots
 * when it is loaded; a message fills each at its first use, once for all
 * conditions and recipients.
 */
#ifndef FALLBACKMX_LOOK_H
#define FALLBACKMX_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "candidate.h"
#include "facts.h"
#include "verdict.h"

/* For all regular expressions of a policy together; see regex.h. */
#define LOOK_REGEX_WORK ((size_t)20000000)

struct policy;

enum slot_kind {
	SLOT_RECIPIENT,		/* the current one, or what replaced it */
	SLOT_MAIL_FROM,
	SLOT_HELO,
	SLOT_AUTH_USER,
	SLOT_CERT_CN,
	SLOT_UNKNOWN,		/* Postfix never tells it */
	SLOT_TEXT,		/* each header field of a name, decoded */
	SLOT_ADDRESSES,		/* the same, and each address in it */
	SLOT_ANALYSIS,
};

struct slot {
	enum slot_kind kind;
	const char *name;	/* of the header, or the analyzer */
	const char *field;	/* of the analyzer's result */
};

/* An answer that holds for all recipients. */
struct look_known {
	bool is;
	enum answer answer;
	const char *found;
};

struct look {
	const struct policy *p;
	const struct facts *f;
	struct arena *a;
	struct candidates **slots;	/* NULL: not looked at yet */
	struct look_known *known;	/* by condition */
	struct candidates recipient;
	const char *client, *size;	/* as text; NULL: not made */
	size_t regex_work;	/* that may still be spent on this message */
};

void look_begin(struct look *l, const struct policy *p, const struct facts *f,
		struct arena *a);

/* From here on RECIPIENT is these. */
void look_at_recipients(struct look *l, const char *const *recipients,
			size_t n);

const struct candidates *look_slot(struct look *l, size_t slot);

/* The client's IP and the message's size as text; "" unknown. */
const char *look_client(struct look *l);
const char *look_size(struct look *l);

#endif
