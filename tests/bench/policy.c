/*
 * policy - how fast mails are judged, for policy.py.
 *
 *   policy RULESET MAILS ROUNDS
 *
 * MAILS: each mail behind a line with its length. A round reads the head of
 * each mail and what the milter takes from it, then lets the rules judge it,
 * with the trail on. It prints, for each round, CPU seconds for the first and
 * for the second, and the number of conditions in the trails. Memory is given
 * back within the time. A rule that matches ends it: then not all were looked
 * at.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/mail/decode.h"
#include "policy/verdict.h"

struct mail {
	const char *text;
	size_t n;
};

struct round {
	double parse, judge;
	size_t conditions;
};

static const char *const to[] = { "sales@example.com" };

static void __attribute__((noreturn))
stop(const char *what)
{
	fprintf(stderr, "policy: %s\n", what);
	exit(1);
}

static char *
read_file(const char *path, size_t *n_r)
{
	FILE *f = fopen(path, "rb");
	char *s = NULL;
	size_t room = 0, n = 0, got;

	if (f == NULL)
		stop(path);
	do {
		if (room - n < 65536) {
			room = room * 2 + 65536;
			s = mem_grow(s, room, 1);
		}
		got = fread(s + n, 1, room - n - 1, f);
		n += got;
	} while (got > 0);
	fclose(f);
	s[n] = '\0';
	*n_r = n;
	return s;
}

static struct mail *
cut(char *s, size_t n, size_t *count_r)
{
	struct mail *mails = NULL;
	char *at = s;

	*count_r = 0;
	while (at < s + n) {
		char *text;
		const size_t size = strtoul(at, &text, 10);

		if (*text != '\n' || size > (size_t)(s + n - text - 1))
			stop("mails are cut");
		mails = mem_grow(mails, *count_r + 1, sizeof(*mails));
		mails[(*count_r)++] = (struct mail){ text + 1, size };
		at = text + 1 + size;
	}
	return mails;
}

/* Of this process alone: the machine may have other work. */
static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
parse(const struct mail *m, struct facts *f, struct head *head,
      struct arena *a)
{
	const struct head_field *field = NULL;

	head_read(head, m->text, m->n, a);
	f->head = head;
	f->size = facts_size(m->text, m->n);
	f->auth = (struct authres){ .seen = false };
	while ((field = head_next(head, "Authentication-Results", field)))
		authres_add(&f->auth, head_value(field, a), "mx.example.com",
			    NULL);
}

static size_t
judge(const struct policy *p, const struct facts *f, struct arena *a)
{
	const struct verdict_recipient *r;
	struct verdict v;
	size_t n = 0;

	verdict_make(p, f, 0, &v, a);
	r = v.recipients;
	for (size_t i = 0; i < r->rules_n; i++) {
		if (r->rules[i].matched)
			stop("a rule matched");
		n += r->rules[i].conditions_n;
	}
	return n;
}

static void
play(const struct policy *p, const struct mail *mails, size_t count,
     struct round *r_r)
{
	struct facts f = {
		.helo = "mail.example.net", .mail_from = "bob@example.net",
		.tls = TLS_1_3, .recipients = to, .recipients_n = 1,
	};

	facts_ip("192.0.2.1", &f.client);
	*r_r = (struct round){ .conditions = 0 };
	for (size_t i = 0; i < count; i++) {
		struct arena a = { NULL }, b = { NULL };
		struct head head = { .n = 0 };
		const double begun = cpu();
		double parsed, judged;

		parse(&mails[i], &f, &head, &a);
		parsed = cpu();
		r_r->conditions += judge(p, &f, &b);
		arena_free(&b);
		judged = cpu();
		arena_free(&a);
		r_r->parse += cpu() - judged + parsed - begun;
		r_r->judge += judged - parsed;
	}
}

int
main(int argc, char **argv)
{
	struct buf lines;
	struct config_mistakes m = { .file = "rules", .lines = &lines };
	struct policy *p = policy_new();
	struct mail *mails;
	size_t n, count;
	char *rules, *text;

	if (argc != 4)
		stop("usage: policy RULESET MAILS ROUNDS");
	buf_init(&lines, 65536);
	decode_init();
	rules = read_file(argv[1], &n);
	policy_add(p, POLICY_RULE_SET, NULL, rules, n, true, &m);
	if (m.n > 0)
		stop(lines.data);
	text = read_file(argv[2], &n);
	mails = cut(text, n, &count);
	for (int i = 0; i < atoi(argv[3]); i++) {
		struct round r;

		play(p, mails, count, &r);
		printf("%.6f %.6f %zu\n", r.parse, r.judge, r.conditions);
	}
	free(mails);
	free(text);
	free(rules);
	buf_free(&lines);
	policy_free(p);
	return 0;
}
