/*
 * sign - the signer on standard input and output, for sigv4.py.
 *
 * A request is lines of a word and its values in hexadecimal ("-" for none):
 * method host path payload region service access secret token VALUE,
 * query NAME VALUE, header NAME VALUE, now SECONDS, rule NUMBER; the line
 * "sign" ends it. The answer: target, canonical, to_sign VALUE, a line VALUE
 * for each header, end; or error VALUE.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/sigv4.h"
#include "lib/base/arena.h"
#include "lib/base/text.h"

#define PAIRS_MAX 1024

static struct arena arena;
static struct sigv4_pair query[PAIRS_MAX], headers[PAIRS_MAX];

static void __attribute__((noreturn))
bad(const char *what)
{
	fprintf(stderr, "sign: cannot read %s\n", text_show(what));
	exit(1);
}

static char *
value(const char *hex)
{
	const size_t n = strlen(hex) / 2;
	char *out;

	if (hex[0] == '-')
		return arena_strdup(&arena, "");
	out = arena_alloc(&arena, n + 1);
	if (!text_unhex((uint8_t *)out, n, hex))
		bad(hex);
	return out;
}

static void
show(const char *word, const char *data, size_t n)
{
	printf("%s ", word);
	for (size_t i = 0; i < n; i++)
		printf("%02x", (unsigned char)data[i]);
	putchar('\n');
}

static void
sign(struct sigv4 *s, const struct sigv4_request *r, const struct aws_creds *c,
     int64_t now)
{
	struct sigv4_signed out = { .lines_n = 0 };
	struct err e;

	if (sigv4_sign(s, r, c, now, &out, &e) < 0) {
		show("error", e.text, strlen(e.text));
	} else {
		const char *line = out.lines.data;

		show("target", out.target.data, out.target.len);
		show("canonical", s->canonical.data, s->canonical.len);
		show("to_sign", s->to_sign.data, s->to_sign.len);
		for (size_t i = 0; i < out.lines_n; i++) {
			show("line", line, strlen(line));
			line += strlen(line) + 1;
		}
		puts("end");
	}
	sigv4_signed_free(&out);
}

static void
add_pair(struct sigv4_pair *pairs, size_t *n, char *rest)
{
	char *second = strchr(rest, ' ');

	if (second == NULL || *n == PAIRS_MAX)
		bad(rest);
	*second++ = '\0';
	pairs[(*n)++] = (struct sigv4_pair){ value(rest), value(second) };
}

static void
set(struct sigv4_request *r, struct aws_creds *c, const char *word,
    const char *v)
{
	const struct {
		const char *word, **field;
	} fields[] = {
		{ "method", &r->method },   { "host", &r->host },
		{ "path", &r->path },	    { "payload", &r->payload },
		{ "region", &r->region },   { "service", &r->service },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(word, fields[i].word) == 0)
			*fields[i].field = v;
	if (strcmp(word, "access") == 0)
		snprintf(c->access_key, sizeof(c->access_key), "%s", v);
	if (strcmp(word, "secret") == 0)
		snprintf(c->secret_key, sizeof(c->secret_key), "%s", v);
	if (strcmp(word, "token") == 0)
		snprintf(c->token, sizeof(c->token), "%s", v);
}

int
main(void)
{
	struct sigv4_request r = { .query = query, .headers = headers };
	struct sigv4 s = { .second = 0 };
	static struct aws_creds c;
	long long now = 0;
	size_t room = 0;
	char *line = NULL;

	while (getline(&line, &room, stdin) > 0) {
		char *rest = line + strcspn(line, " \n");

		line[strcspn(line, "\n")] = '\0';
		if (*rest != '\0')
			*rest++ = '\0';
		if (strcmp(line, "query") == 0) {
			add_pair(query, &r.query_n, rest);
		} else if (strcmp(line, "header") == 0) {
			add_pair(headers, &r.headers_n, rest);
		} else if (strcmp(line, "now") == 0) {
			now = atoll(rest);
		} else if (strcmp(line, "rule") == 0) {
			r.rule = (enum sigv4_path)atoi(rest);
		} else if (strcmp(line, "sign") == 0) {
			sign(&s, &r, &c, now);
			fflush(stdout);
			r.query_n = r.headers_n = 0;
			arena_free(&arena);
		} else {
			set(&r, &c, line, value(rest));
		}
	}
	free(line);
	arena_free(&arena);
	sigv4_free(&s);
	return 0;
}
