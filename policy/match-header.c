/*
 * HeaderExpression, ours: any header field, with regular expressions too
 * (PCRE2 under limits; see regex.h).
 */
#include <config.h>

#include <string.h>

#include "match.h"
#include "policy-private.h"
#include "regex.h"

struct evaluate {
	const char *name;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* enum compare */
	struct list values;
	struct regex **regexes;	/* of MATCHES: made by the check */
};

static const char *const operator_words[] = {
	"EQUALS", "NOT_EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS",
	"MATCHES", "NOT_MATCHES", NULL
};

static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "a header's name", .min = 1, .max = 256,
	.pattern = "[!-9;-~]+",
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};
static const struct member evaluate_members[] = {
	{ .key = "HeaderName", .shape = &shape_name,
	  .offset = offsetof(struct evaluate, name) },
	{ .key = NULL }
};
static const struct shape shape_evaluate = {
	.type = SHAPE_STRUCT, .what = "what to compare", .one = true,
	.members = evaluate_members, .size = sizeof(struct evaluate),
};
static const struct member members[] = {
	{ .key = "Evaluate", .shape = &shape_evaluate, .required = true,
	  .offset = offsetof(struct expression, evaluate) },
	{ .key = "Operator", .shape = &shape_operator, .required = true,
	  .offset = offsetof(struct expression, how) },
	{ .key = "Values", .shape = &shape_string_values, .required = true,
	  .offset = offsetof(struct expression, values) },
	{ .key = NULL }
};

static void
check(struct reader *r, const struct place *at, void *value)
{
	const struct place list = { .up = at, .key = "Values" };
	struct expression *x = value;
	const char *const *strings = x->values.items;
	char why[256];

	if (x->how < COMPARE_MATCHES)
		return;
	x->regexes = arena_alloc(r->arena, x->values.n * sizeof(*x->regexes));
	for (size_t i = 0; i < x->values.n; i++) {
		const struct place place = { .up = &list, .index = i };

		x->regexes[i] = regex_new(strings[i], r->arena, why,
					  sizeof(why));
		if (x->regexes[i] == NULL)
			document_mistake_text(r, &place, strings[i],
					      "a regular expression (%s)",
					      why);
	}
}

static const struct shape shape_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on a header",
	.members = members, .size = sizeof(struct expression), .check = check,
};

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;

	match_prepare_text(c, policy_slot(p, SLOT_TEXT, x->evaluate->name,
					  NULL),
			   (enum compare)x->how, &x->values, a);
}

static enum regex_answer
match_any(const struct expression *x, const struct candidate *c,
	  struct look *l)
{
	enum regex_answer all = REGEX_NO;

	for (size_t i = 0; i < x->values.n; i++) {
		const enum regex_answer one = c->cut ? REGEX_UNKNOWN :
			regex_match(x->regexes[i], c->shown, c->n,
				    &l->regex_work);

		if (one == REGEX_YES)
			return one;
		if (one == REGEX_UNKNOWN)
			all = one;
	}
	return all;
}

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	const struct candidates *all = look_slot(l, c->slot);
	const struct expression *x = c->of;
	bool partial = all->partial;

	if (x->regexes == NULL)
		return match_answer_text(c, l, found_r);
	*found_r = all->n > 0 ? all->all[0].shown : "";
	if (!all->known)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < all->n; i++)
		switch (match_any(x, &all->all[i], l)) {
		case REGEX_YES:
			*found_r = all->all[i].shown;
			return match_decide(c, true, false);
		case REGEX_UNKNOWN:
			*found_r = all->all[i].shown;
			partial = true;
			break;
		case REGEX_NO:
			break;
		}
	return match_decide(c, false, partial);
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;

	buf_printf(out, "%s: %s ", x->evaluate->name,
		   operator_words[x->how - 1]);
	match_words_values(&x->values, out);
}

const struct match match_header = {
	.kind = { .key = "HeaderExpression", .shape = &shape_expression,
		  .extension = true },
	.prepare = prepare, .answer = answer, .words = words,
};
