/*
 * policy-private - what a loaded policy is made of, for those that fill it
 * (policy.c, traffic.c, ruleset.c, ...) and those that use it (verdict*.c).
 */
#ifndef FALLBACKMX_POLICY_PRIVATE_H
#define FALLBACKMX_POLICY_PRIVATE_H

#include "action.h"
#include "document.h"
#include "look.h"
#include "match.h"
#include "policy.h"

struct statement {
	bool deny;
	struct condition *conditions;
	size_t conditions_n;
};

struct traffic {
	const char *name;	/* NULL: it has none */
	struct statement *statements;
	size_t n;
	const struct statement **order;	/* as they are evaluated */
	bool default_deny;
	int64_t size_max;	/* 0: none */
};

struct rule {
	const char *name;	/* "": it has none */
	struct condition *conditions;	/* Conditions, then Unless */
	size_t conditions_n;
	struct action *actions;
	const char **action_names;
	size_t actions_n;
};

struct rule_set {
	const char *name;	/* NULL: it has none */
	struct rule *rules;
	size_t n;
};

/* A document that was taken, with all memory that it needs. */
struct document {
	struct document *next;
	const struct document_kind *kind;
	struct arena arena;
	void *of;	/* the struct that it was read into */
};

struct policy {
	struct document *documents, **last;	/* in the order they came */
	struct traffic *traffic;	/* NULL: there is none */
	struct rule_set *rule_set;	/* NULL: there is none */
	struct slot *slots;
	size_t slots_n;
	size_t conditions_n;
};

struct document_kind {
	enum policy_kind kind;
	const char *what;		/* "a rule set" */
	const char *const *tells;	/* members that only it has */
	const struct shape *shape;
	bool single;			/* one at most */
	/* After it was read without a mistake; for what needs the policy. */
	void (*take)(struct policy *p, struct document *d);
	void (*explain)(const struct policy *p, const struct document *d,
			struct buf *out);
};

extern const struct document_kind document_traffic, document_rule_set,
	document_relay, document_archive, document_address_list;

/* The number of that slot; texts are the document's. */
size_t policy_slot(struct policy *p, enum slot_kind kind, const char *name,
		   const char *field);

/* Turns choices (struct choice of struct match) into prepared conditions; out
 * has room for all. */
void policy_take_conditions(struct policy *p, struct arena *a,
			    const struct list *choices, bool unless,
			    struct condition *out);

/* The list that a condition calls so; NULL: it is not loaded. */
const struct addresslist *policy_find_list(const struct policy *p,
					    const char *called);

/* "RelayId", an ARN that ends in "/RelayId", or the name. */
bool policy_same_name(const char *called, const char *name);
bool policy_has_relay(const struct policy *p, const char *called);
bool policy_has_archive(const struct policy *p, const char *called);

/* Adds the line of where it goes to and nothing is loaded; not twice. */
void policy_missing_action(const struct policy *p, const struct action *x,
			   struct buf *lines);

/* `a and b; unless c or d`; "" if there are none. */
void policy_words_conditions(const struct condition *c, size_t n,
			     struct buf *out);

#endif
