/*
 * What a policy makes of hostile mail takes steps in proportion to the mail and
 * to the policy, both as large as they may be. Who compares each field with
 * each other, or lets a pattern go back and forth, needs hours for one of these
 * shapes; the limit of CPU time, that of a child for all of them, is far from
 * both.
 */
#include <config.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "policy-help.h"

#define CPU_SECONDS 120
#define RECIPIENTS 1000
#define TEXT_MAX ((size_t)8 << 20)

/* A field: its begin once, then what follows again and again. */
struct shape {
	const char *start, *again;
	size_t field, times;	/* bytes of each, how many fields */
};

static const struct shape shapes[] = {
	{ "", "a", 1000000, 1 },	/* one of 1 MB */
	{ "", "a", 102000, 10 },
	{ "", "a", 8000, 128 },
	{ "", "a", 480, 2000 },
	{ "", "", 0, 100000 },
	{ "", "ab", 102000, 10 },
	{ "", "aaaaaaaaaaaaaaab", 102000, 10 },
	{ "", "a@b.example,", 102000, 10 },
	{ "", "\"a\" <a@b.example>, ", 480, 2000 },
	{ "", "*@b.example,", 102000, 10 },
	{ "", "a@a.a.a.a.a.a.a.a.a.a.a.a.example,", 102000, 10 },
	{ "a@", "b.", 102000, 10 },
	{ "", "=?utf-8?q?a?= ", 102000, 10 },
	{ "=?utf-8?q?", "a", 102000, 10 },
	{ "", "\xff", 8000, 128 },
	{ "", "\n ", 102000, 10 },
};

/* Values of a condition: the texts' own pieces, and patterns that go back. */
static const char *const values[] = {
	"\"EQUALS\", \"Values\": [\"a\", \"aa\", \"ab\", \"a@c.example\", "
	"\"b\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaac\"]",
	"\"NOT_EQUALS\", \"Values\": [\"c\", \"a@c.example\"]",
	"\"STARTS_WITH\", \"Values\": [\"aaaaaaaaaaaaaac\", \"ac\"]",
	"\"ENDS_WITH\", \"Values\": [\"caaaaaaaaaaaaaa\", \"ca\"]",
	"\"CONTAINS\", \"Values\": [\"aac\", \"ca\", \"baaaaaaaaaaaaaac\", "
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac\", \"aba@aba\", \"ba.a,a\"]",
};

static const char *const patterns[] = {
	"(a+)+$", "(a|aa)+[0-9]$", "a+a+a+a+b?c", "(.*)*c", "[^z]*a{4000}c",
	"(.{2000}).*?\\\\1c", "(?=.*c).*", "^(a(?1)?b?)$", "(\\\\w+\\\\s?)+$",
	"\\\\X+c",
};

static const char *const attributes[] = {
	"SENDER", "FROM", "SUBJECT", "TO", "CC",
};

static const char *const names[] = {
	"Sender", "From", "Subject", "To", "Cc",
};

/* Each rule looks at one field with one operator; half are Unless, so that
 * whatever the answer is not all end at the first condition. */
static void
add_rule(struct buf *out, size_t i)
{
	const char *glue = "";

	buf_printf(out, "%s{\"%s\": [", i == 0 ? "" : ", ",
		   i % 2 ? "Unless" : "Conditions");
	for (size_t j = 0; j < 10; j++, glue = ", ")
		if (i % 4 == 3)
			buf_printf(out, "%s{\"HeaderExpression\": "
				   "{\"Evaluate\": {\"HeaderName\": \"%s\"}, "
				   "\"Operator\": \"NOT_MATCHES\", "
				   "\"Values\": [\"%s\", \"%s\"]}}", glue,
				   names[i % COUNT(names)], patterns[j],
				   patterns[(i + j) % COUNT(patterns)]);
		else if (i % 4 == 2)
			buf_printf(out, "%s{\"BooleanExpression\": "
				   "{\"Evaluate\": {\"IsInAddressList\": "
				   "{\"Attribute\": \"%s\", \"AddressLists\": "
				   "[\"list\"]}}, \"Operator\": \"IS_%s\"}}",
				   glue, j % 2 ? "RECIPIENT" : "TO",
				   j % 3 ? "FALSE" : "TRUE");
		else
			buf_printf(out, "%s{\"StringExpression\": "
				   "{\"Evaluate\": {\"Attribute\": \"%s\"}, "
				   "\"Operator\": %s}}", glue,
				   attributes[j % COUNT(attributes)],
				   values[(i + j) % COUNT(values)]);
	buf_printf(out, "], \"Actions\": [{\"AddHeader\": {\"HeaderName\": "
		   "\"X-A\", \"HeaderValue\": \"b\"}}]}");
}

static void
load(struct world *w)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "{\"Rules\": [");
	for (size_t i = 0; i < 40; i++)
		add_rule(&text, i);
	buf_printf(&text, "]}");
	world_load(w, NULL, text.data);
	buf_clear(&text);
	buf_printf(&text, "address\n");
	for (int i = 0; i < 25000; i++)
		buf_printf(&text, "u%d@b.example\n*.d%d.example\nabc*@%d.d\n"
			   "*abc@%d.d\n", i, i, i, i);
	world_load(w, "list", text.data);
	buf_free(&text);
}

static char *
add(char *at, const char *s)
{
	const size_t n = strlen(s);

	memcpy(at, s, n);
	return at + n;
}

static char *
mail_of(const struct shape *s, struct arena *a)
{
	const size_t start = strlen(s->start), again = strlen(s->again);
	const size_t n = s->times * (s->field + 10) * COUNT(names);
	char *text = arena_alloc(a, n + 3), *at = text;

	for (size_t i = 0; i < s->times; i++)
		for (size_t j = 0; j < COUNT(names); j++) {
			at = add(add(add(at, names[j]), ":"), s->start);
			for (size_t k = start; k < s->field; k++)
				*at++ = s->again[(k - start) % again];
			*at++ = '\n';
		}
	*at++ = '\n';
	return text;
}

static void
judge_all(void)
{
	const char **all = calloc(RECIPIENTS, sizeof(*all));

	assert_non_null(all);
	for (size_t i = 0; i < RECIPIENTS; i++)
		all[i] = "alice@example.com";
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct world w;

		/* The last one before a limit strikes is the one. */
		printf("# %s %s, %zu times %zu\n", text_show(shapes[i].start),
		       text_show(shapes[i].again), shapes[i].times,
		       shapes[i].field);
		fflush(stdout);
		world_begin(&w);
		load(&w);
		world_mail(&w, mail_of(&shapes[i], &w.a));
		world_rcpt(&w, all, RECIPIENTS);
		world_judge(&w, VERDICT_FULL);
		assert_int_equal(w.v.recipients[0].rules_n, 40);
		world_end(&w);
	}
	free(all);
}

static void
takes_linear_time(void **state)
{
	const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS + 5 };
	pid_t child;
	int status;

	(void)state;
	fflush(stdout);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		assert_int_equal(setrlimit(RLIMIT_CPU, &cpu), 0);
		judge_all();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_linear_time),
	};

	return cmocka_run_group_tests_name("policy-linear", tests, NULL, NULL);
}
