#include <config.h>

#include <string.h>

#include "lib/base/text.h"
#include "match.h"
#include "policy-private.h"

const char *const compare_words[] = {
	"EQUALS", "NOT_EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS", NULL
};

static const struct shape shape_value = {
	.type = SHAPE_STRING, .what = "a value", .min = 1, .max = 4096,
};

const struct shape shape_string_values = {
	.type = SHAPE_LIST, .what = "values", .min = 1, .max = 10,
	.item = &shape_value,
};

static const struct shape shape_analyzer = {
	.type = SHAPE_STRING, .what = "an analyzer's ARN",
	.pattern = "[a-zA-Z0-9:_/+=,@.#-]+",
};

static const struct shape shape_result_field = {
	.type = SHAPE_STRING, .what = "a field of the analyzer's result",
	.min = 1, .max = 256, .pattern = "(addon\\.)?[\\sa-zA-Z0-9_]+",
};

static const struct member analysis_members[] = {
	{ .key = "Analyzer", .shape = &shape_analyzer, .required = true,
	  .offset = offsetof(struct analysis, analyzer) },
	{ .key = "ResultField", .shape = &shape_result_field, .required = true,
	  .offset = offsetof(struct analysis, field) },
	{ .key = NULL }
};

const struct shape shape_analysis = {
	.type = SHAPE_STRUCT, .what = "an analyzer and its result",
	.members = analysis_members, .size = sizeof(struct analysis),
};

void
match_prepare_text(struct condition *c, size_t slot, enum compare how,
		   const struct list *values, struct arena *a)
{
	c->slot = slot;
	c->negated = how == COMPARE_NOT_EQUALS || how == COMPARE_NOT_MATCHES;
	values_make(&c->values, how, values->items, values->n, a);
}

enum answer
match_decide(const struct condition *c, bool hit, bool partial)
{
	if (hit)
		return c->negated ? ANSWER_NO : ANSWER_YES;
	/* What is missing may be what is asked for: then neither the operator
	 * nor its negation holds. */
	if (partial)
		return ANSWER_UNKNOWN;
	return c->negated ? ANSWER_YES : ANSWER_NO;
}

enum answer
match_answer_text(const struct condition *c, struct look *l,
		  const char **found_r)
{
	const struct candidates *all = look_slot(l, c->slot);

	*found_r = all->n > 0 ? all->all[0].shown : "";
	if (!all->known)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < all->n; i++)
		if (values_hit(&c->values, &all->all[i])) {
			*found_r = all->all[i].shown;
			return match_decide(c, true, all->partial);
		}
	return match_decide(c, false, all->partial);
}

void
match_words_values(const struct list *values, struct buf *out)
{
	const char *const *strings = values->items;

	for (size_t i = 0; i < values->n; i++) {
		buf_add(out, ", ", i == 0 ? 0 : 2);
		document_quote(strings[i], out);
	}
}

void
match_words_analysis(const struct analysis *a, struct buf *out)
{
	char field[1025];	/* it may have line ends */

	text_quote(field, sizeof(field), a->field, strlen(a->field));
	buf_printf(out, "Analysis(%s, %s)", a->analyzer, field);
}
