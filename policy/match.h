/*
 * match - the kinds of conditions: one row and one file match-NAME.c each.
 *
 * A row names the member of the document (StringExpression), has its shape,
 * prepares a condition once when it is loaded and answers it for a message.
 * Traffic policies and rule sets allow different things under the same name,
 * so they have rows of their own. See docs/internals.md for how to add one.
 */
#ifndef FALLBACKMX_MATCH_H
#define FALLBACKMX_MATCH_H

#include "candidate.h"
#include "document.h"
#include "look.h"
#include "verdict.h"

struct policy;
struct match;

struct condition {
	const struct match *match;
	const void *of;		/* the struct that the document was read into */
	size_t id;		/* among all conditions of the policy */
	bool unless;
	bool by_recipient;	/* differs among recipients of one message */
	bool of_message;	/* of a traffic policy: not known at RCPT */
	bool negated;
	size_t slot;		/* whose candidates it looks at, if any */
	struct values values;	/* of texts */
	const char *list_name;	/* of an address list, if it asks for one */
	const struct addresslist *list;	/* NULL: not loaded */
	const void *made;	/* what else prepare() made of it */
};

struct match {
	struct kind kind;
	/* Cannot fail: the document was checked before. a: the document's. May
	 * be NULL. */
	void (*prepare)(struct condition *c, struct policy *p,
			struct arena *a);
	/* *found_r: what was compared, "" if nothing was. */
	enum answer (*answer)(const struct condition *c, struct look *l,
			      const char **found_r);
	/* `SUBJECT CONTAINS "x"`, printable ASCII. */
	void (*words)(const struct condition *c, struct buf *out);
	/* Adds lines about what it needs and does not have; may be NULL. */
	void (*missing)(const struct condition *c, struct buf *lines);
};

extern const struct match match_string, match_traffic_string;
extern const struct match match_boolean, match_traffic_boolean;
extern const struct match match_ip, match_sender_ip, match_sender_ipv6;
extern const struct match match_tls, match_number, match_verdict, match_dmarc;
extern const struct match match_header, match_auth;

/* What a StringExpression and its kin have in common. */

struct analysis {
	const char *analyzer, *field;
};

extern const struct shape shape_analysis;
extern const struct shape shape_string_values;	/* a list of const char * */
extern const char *const compare_words[];	/* EQUALS to CONTAINS */

/* Fills slot, values, negated, by_recipient. */
void match_prepare_text(struct condition *c, size_t slot, enum compare how,
			const struct list *values, struct arena *a);

enum answer match_answer_text(const struct condition *c, struct look *l,
			      const char **found_r);

/* The answer for a hit or none among candidates that are known. */
enum answer match_decide(const struct condition *c, bool hit, bool partial);

/* `"a", "b"` */
void match_words_values(const struct list *values, struct buf *out);

/* `Analysis(ARN, FIELD)` */
void match_words_analysis(const struct analysis *a, struct buf *out);

#endif
