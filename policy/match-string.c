/*
 * StringExpression: an attribute of the envelope, a header, a client
 * certificate or an analyzer's result, compared with texts (API
 * RuleStringExpression, IngressStringExpression).
 */
#include <config.h>

#include "match.h"
#include "policy-private.h"

struct evaluate {
	int attribute;
	const char *header;
	const struct analysis *analysis;
	int certificate;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* enum compare */
	struct list values;
};

static const char *const attribute_words[] = {
	"MAIL_FROM", "HELO", "RECIPIENT", "SENDER", "FROM", "SUBJECT", "TO",
	"CC", NULL
};

/* In the same order. */
static const struct slot attribute_slots[] = {
	{ SLOT_MAIL_FROM, NULL, NULL },
	{ SLOT_HELO, NULL, NULL },
	{ SLOT_RECIPIENT, NULL, NULL },
	{ SLOT_ADDRESSES, "Sender", NULL },
	{ SLOT_ADDRESSES, "From", NULL },
	{ SLOT_TEXT, "Subject", NULL },
	{ SLOT_ADDRESSES, "To", NULL },
	{ SLOT_ADDRESSES, "Cc", NULL },
};

static const char *const traffic_words[] = { "RECIPIENT", NULL };

static const char *const certificate_words[] = {
	"CN", "SAN_RFC822_NAME", "SAN_DNS_NAME", "SAN_DIRECTORY_NAME",
	"SAN_UNIFORM_RESOURCE_IDENTIFIER", "SAN_IP_ADDRESS",
	"SAN_REGISTERED_ID", "SERIAL_NUMBER", NULL
};

static const struct shape shape_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = attribute_words,
};
static const struct shape shape_traffic_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = traffic_words,
};
static const struct shape shape_header = {
	.type = SHAPE_STRING, .what = "the name of an X- header",
	.pattern = "X-[a-zA-Z0-9-]{1,256}",
};
static const struct shape shape_certificate = {
	.type = SHAPE_WORD, .what = "a certificate's attribute",
	.words = certificate_words,
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = compare_words,
};

static const struct member evaluate_members[] = {
	{ .key = "Attribute", .shape = &shape_attribute,
	  .offset = offsetof(struct evaluate, attribute) },
	{ .key = "MimeHeaderAttribute", .shape = &shape_header,
	  .offset = offsetof(struct evaluate, header) },
	{ .key = "Analysis", .shape = &shape_analysis,
	  .offset = offsetof(struct evaluate, analysis) },
	{ .key = "ClientCertificateAttribute", .shape = &shape_certificate,
	  .offset = offsetof(struct evaluate, certificate) },
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
static const struct shape shape_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on a text",
	.members = members, .size = sizeof(struct expression),
};

/* The same for a traffic policy, where the API bounds no value. */
static const struct member traffic_evaluate_members[] = {
	{ .key = "Attribute", .shape = &shape_traffic_attribute,
	  .offset = offsetof(struct evaluate, attribute) },
	{ .key = "Analysis", .shape = &shape_analysis,
	  .offset = offsetof(struct evaluate, analysis) },
	{ .key = NULL }
};
static const struct shape shape_traffic_evaluate = {
	.type = SHAPE_STRUCT, .what = "what to compare", .one = true,
	.members = traffic_evaluate_members, .size = sizeof(struct evaluate),
};
static const struct shape shape_any_text = {
	.type = SHAPE_STRING, .what = "a value",
};
static const struct shape shape_traffic_values = {
	.type = SHAPE_LIST, .what = "values", .min = 1,
	.item = &shape_any_text,
};
static const struct member traffic_members[] = {
	{ .key = "Evaluate", .shape = &shape_traffic_evaluate,
	  .required = true, .offset = offsetof(struct expression, evaluate) },
	{ .key = "Operator", .shape = &shape_operator, .required = true,
	  .offset = offsetof(struct expression, how) },
	{ .key = "Values", .shape = &shape_traffic_values, .required = true,
	  .offset = offsetof(struct expression, values) },
	{ .key = NULL }
};
static const struct shape shape_traffic_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on a text",
	.members = traffic_members, .size = sizeof(struct expression),
};

static struct slot
slot_of(const struct evaluate *e)
{
	if (e->attribute != 0)
		return attribute_slots[e->attribute - 1];
	if (e->header != NULL)
		return (struct slot){ SLOT_TEXT, e->header, NULL };
	if (e->analysis != NULL)
		return (struct slot){ SLOT_ANALYSIS, e->analysis->analyzer,
				      e->analysis->field };
	return (struct slot){ e->certificate == 1 ? SLOT_CERT_CN :
			      SLOT_UNKNOWN, NULL, NULL };
}

static void
prepare_slot(struct condition *c, struct policy *p, struct arena *a,
	     const struct slot *s)
{
	const struct expression *x = c->of;

	c->by_recipient = s->kind == SLOT_RECIPIENT;
	match_prepare_text(c, policy_slot(p, s->kind, s->name, s->field),
			   (enum compare)x->how, &x->values, a);
}

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;
	const struct slot s = slot_of(x->evaluate);

	prepare_slot(c, p, a, &s);
}

static void
prepare_traffic(struct condition *c, struct policy *p, struct arena *a)
{
	static const struct slot recipient = { SLOT_RECIPIENT, NULL, NULL };
	const struct expression *x = c->of;
	const struct slot s = x->evaluate->attribute != 0 ? recipient :
		slot_of(x->evaluate);

	c->of_message = s.kind == SLOT_ANALYSIS;
	prepare_slot(c, p, a, &s);
}

static void
words_of(const struct condition *c, const char *const *attributes,
	 struct buf *out)
{
	const struct expression *x = c->of;
	const struct evaluate *e = x->evaluate;

	if (e->attribute != 0)
		buf_printf(out, "%s", attributes[e->attribute - 1]);
	else if (e->header != NULL)
		buf_printf(out, "%s", e->header);
	else if (e->analysis != NULL)
		match_words_analysis(e->analysis, out);
	else
		buf_printf(out, "certificate's %s",
			   certificate_words[e->certificate - 1]);
	buf_printf(out, " %s ", compare_words[x->how - 1]);
	match_words_values(&x->values, out);
}

static void
words(const struct condition *c, struct buf *out)
{
	words_of(c, attribute_words, out);
}

static void
words_traffic(const struct condition *c, struct buf *out)
{
	words_of(c, traffic_words, out);
}

static void
missing(const struct condition *c, struct buf *lines)
{
	const struct expression *x = c->of;

	if (x->evaluate->certificate > 1)
		buf_printf(lines, "client certificates: Postfix does not tell "
			   "%s; conditions on it never hold\n",
			   certificate_words[x->evaluate->certificate - 1]);
}

const struct match match_string = {
	.kind = { .key = "StringExpression", .shape = &shape_expression },
	.prepare = prepare, .answer = match_answer_text, .words = words,
	.missing = missing,
};

const struct match match_traffic_string = {
	.kind = { .key = "StringExpression",
		  .shape = &shape_traffic_expression },
	.prepare = prepare_traffic, .answer = match_answer_text,
	.words = words_traffic,
};
