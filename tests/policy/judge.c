/*
 * judge - the policy engine on standard input and output, for property.py.
 *
 * A case is one line of JSON:
 *
 *   {"traffic": DOCUMENT, "ruleset": DOCUMENT, "lists": {NAME: LIST},
 *    "facts": {...}, "message": "..."}
 *
 * DOCUMENT: an object, or a string that is read as it stands, or null. LIST:
 * a list of entries, or a string. message: a character for each byte, null:
 * there is none yet (RCPT). facts: client helo mail_from auth_user cert_cn
 * (null or not there: not known), tls (none older TLSv1.2 TLSv1.3), tls_wrapped
 * (true false), recipients, authserv_id, job, analyses [[analyzer, field,
 * value]], full (VERDICT_FULL), aws.
 *
 * The answer is one line:
 *
 *   {"verdict": as `fallbackmx policy test --json` has it, without "message",
 *    "trail": [{"statements": [[index, matched, ANSWERS]],
 *               "rules": [[index, ANSWERS]]}],
 *    "actions": [[[rule, action, name]]], "limits": false, "vectors": [..]}
 *
 * ANSWERS: a letter for each condition: Y, N, ?; of Unless y, n, ?.
 * Or {"mistakes": ["FILE: PATH: ..."]}, FILE being traffic, ruleset or a list.
 * Everything is read anew for each case and freed behind it.
 */
#include <config.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/mail/decode.h"
#include "policy/verdict.h"

#define LINES_MAX ((size_t)1048576)

struct judge {
	struct arena a;
	struct policy *p;
	struct facts f;
	struct head head;
	struct buf lines;
	size_t mistakes;
	bool aws;
};

static void __attribute__((noreturn))
bad(const char *what)
{
	fprintf(stderr, "judge: cannot read %s\n", what);
	exit(1);
}

static bool
given(const json_t *v)
{
	return v != NULL && !json_is_null(v);
}

static const char *
text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool
is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static void
add(struct judge *j, enum policy_kind kind, const char *name, const char *file,
    const char *s, size_t n)
{
	struct config_mistakes m = { .file = file, .lines = &j->lines };
	const enum policy_kind found =
		policy_add(j->p, kind, name, s, n, j->aws, &m);

	if (m.n == 0 && found != kind)
		bad(file);
	j->mistakes += m.n;
}

static void
add_document(struct judge *j, enum policy_kind kind, const char *file,
	     const json_t *v)
{
	if (json_is_string(v)) {
		add(j, kind, NULL, file, json_string_value(v),
		    json_string_length(v));
	} else if (given(v)) {
		char *s = json_dumps(v, JSON_COMPACT);

		add(j, kind, NULL, file, s, strlen(s));
		free(s);
	}
}

/* As an import file of AWS's. */
static json_t *
list_document(const json_t *entries)
{
	json_t *items = json_array();
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
		json_array_append_new(items,
				      json_pack("{s:O}", "address", entry));
	return json_pack("{s:o}", "items", items);
}

static void
add_lists(struct judge *j, json_t *lists)
{
	const char *name;
	json_t *v;

	json_object_foreach(lists, name, v) {
		json_t *made = json_is_string(v) ? NULL : list_document(v);
		char *s = made ? json_dumps(made, JSON_COMPACT) : NULL;

		if (s != NULL)
			add(j, POLICY_ADDRESS_LIST, name, name, s, strlen(s));
		else
			add(j, POLICY_ADDRESS_LIST, name, name,
			    json_string_value(v), json_string_length(v));
		free(s);
		json_decref(made);
	}
}

/* The bytes that the characters of s stand for. */
static char *
bytes(struct judge *j, const json_t *s, size_t *n_r)
{
	const unsigned char *in = (const unsigned char *)json_string_value(s);
	const size_t n = json_string_length(s);
	char *out = arena_alloc(&j->a, n + 1);

	*n_r = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned int c = in[i];

		if (c >= 0x80)
			c = (c & 3) << 6 | (in[++i] & 0x3f);
		out[(*n_r)++] = (char)c;
	}
	return out;
}

static void
read_auth(struct judge *j, const char *id, const char *job)
{
	const struct head_field *field = NULL;

	if (id == NULL)
		return;
	while ((field = head_next(&j->head, "Authentication-Results", field)))
		authres_add(&j->f.auth, head_value(field, &j->a), id, job);
}

static void
read_message(struct judge *j, const json_t *message, const json_t *facts)
{
	size_t n;
	const char *s;

	if (!given(message))
		return;
	s = bytes(j, message, &n);
	head_read(&j->head, s, n, &j->a);
	j->f.head = &j->head;
	j->f.size = facts_size(s, n);
	read_auth(j, text(facts, "authserv_id"), text(facts, "job"));
}

static enum tls_version
tls_version(const char *s)
{
	static const struct {
		const char *word;
		enum tls_version version;
	} words[] = {
		{ "none", TLS_WITHOUT },
		{ "older", TLS_OLDER },
		{ "TLSv1.2", TLS_1_2 },
		{ "TLSv1.3", TLS_1_3 },
	};

	for (size_t i = 0; s && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, s) == 0)
			return words[i].version;
	return TLS_UNKNOWN;
}

static void
read_analyses(struct judge *j, const json_t *list)
{
	struct facts_analysis *all =
		arena_alloc(&j->a, (json_array_size(list) + 1) * sizeof(*all));

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		all[i].analyzer = json_string_value(json_array_get(v, 0));
		all[i].field = json_string_value(json_array_get(v, 1));
		all[i].value = json_string_value(json_array_get(v, 2));
	}
	j->f.analyses = all;
	j->f.analyses_n = json_array_size(list);
}

static void
read_facts(struct judge *j, const json_t *facts)
{
	const json_t *list = json_object_get(facts, "recipients");
	const json_t *wrapped = json_object_get(facts, "tls_wrapped");
	const char **to =
		arena_alloc(&j->a, (json_array_size(list) + 1) * sizeof(*to));

	for (size_t i = 0; i < json_array_size(list); i++)
		to[i] = json_string_value(json_array_get(list, i));
	if (text(facts, "client") != NULL &&
	    facts_ip(text(facts, "client"), &j->f.client) < 0)
		bad(text(facts, "client"));
	j->f.helo = text(facts, "helo");
	j->f.mail_from = text(facts, "mail_from");
	j->f.auth_user = text(facts, "auth_user");
	j->f.cert_cn = text(facts, "cert_cn");
	j->f.tls = tls_version(text(facts, "tls"));
	if (given(wrapped))
		j->f.tls_wrapped = json_is_true(wrapped) ? FACT_YES : FACT_NO;
	j->f.recipients = to;
	j->f.recipients_n = json_array_size(list);
	read_analyses(j, json_object_get(facts, "analyses"));
}

static json_t *
show_answers(const struct trail_step *s)
{
	char letters[64] = "";

	for (size_t i = 0; i < s->conditions_n && i + 1 < sizeof(letters); i++)
		letters[i] = (s->conditions[i].unless ? "ny?" : "NY?")
			[s->conditions[i].answer];
	return json_string(letters);
}

static json_t *
show_traffic(const struct verdict_recipient *r)
{
	static const char *const by[] = { "STATEMENT", "DEFAULT", "SIZE" };

	return json_pack("{s:s, s:s, s:o}", "verdict",
			 r->allowed ? "ALLOW" : "DENY", "by", by[r->by],
			 "statement", r->by == TRAFFIC_BY_STATEMENT
			 ? json_integer((json_int_t)r->statement)
			 : json_null());
}

static json_t *
show_rules(const struct verdict_recipient *r)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < r->rules_n; i++) {
		const struct trail_step *s = &r->rules[i];
		json_t *names = json_array();

		for (size_t k = 0; k < s->actions_n; k++)
			json_array_append_new(names,
					      json_string(s->actions[k]));
		json_array_append_new(rules, json_pack(
			"{s:s, s:I, s:b, s:o}", "name", s->name ? s->name : "",
			"index", (json_int_t)s->index, "matched", s->matched,
			"actions", names));
	}
	return rules;
}

static json_t *
show_recipient(const struct verdict_recipient *r)
{
	static const char *const dispositions[] = {
		"ACCEPT", "DROP", "QUARANTINE", "REJECT", "TEMPFAIL",
	};
	json_t *after = json_array();

	for (size_t i = 0; i < r->after_n; i++)
		json_array_append_new(after, json_string(r->after[i]));
	return json_pack("{s:s, s:o, s:o, s:s, s:o}", "recipient",
			 r->recipient, "traffic", show_traffic(r), "rules",
			 show_rules(r), "disposition",
			 dispositions[r->disposition], "recipients_after",
			 after);
}

static json_t *
show_trail(const struct verdict_recipient *r)
{
	json_t *statements = json_array(), *rules = json_array();

	for (size_t i = 0; i < r->statements_n; i++)
		json_array_append_new(statements, json_pack(
			"[I, b, o]", (json_int_t)r->statements[i].index,
			r->statements[i].matched,
			show_answers(&r->statements[i])));
	for (size_t i = 0; i < r->rules_n; i++)
		json_array_append_new(rules, json_pack(
			"[I, o]", (json_int_t)r->rules[i].index,
			show_answers(&r->rules[i])));
	return json_pack("{s:o, s:o}", "statements", statements, "rules",
			 rules);
}

static json_t *
show_actions(const struct verdict_recipient *r)
{
	json_t *actions = json_array();

	for (size_t i = 0; i < r->actions_n; i++)
		json_array_append_new(actions, json_pack(
			"[I, I, s]", (json_int_t)r->actions[i].rule_index,
			(json_int_t)r->actions[i].index,
			action_name(r->actions[i].action)));
	return actions;
}

static json_t *
show_verdict(struct judge *j, int flags)
{
	json_t *recipients = json_array(), *trail = json_array();
	json_t *actions = json_array(), *vectors = json_array();
	struct verdict v = { .recipients_n = 0 };

	verdict_make(j->p, &j->f, flags, &v, &j->a);
	for (size_t i = 0; i < v.recipients_n; i++) {
		const struct verdict_recipient *r = &v.recipients[i];

		json_array_append_new(recipients, show_recipient(r));
		json_array_append_new(trail, show_trail(r));
		json_array_append_new(actions, show_actions(r));
		json_array_append_new(vectors, json_string(
			verdict_vector(j->p, r->recipient, 0,
					       &j->a)));
	}
	return json_pack("{s:{s:o}, s:o, s:o, s:b, s:o}", "verdict",
			 "recipients", recipients, "trail", trail, "actions",
			 actions, "limits", v.limits, "vectors", vectors);
}

static json_t *
show_mistakes(const struct buf *lines)
{
	json_t *list = json_array();
	const char *at = lines->data, *end;

	for (; at != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1)
		json_array_append_new(list,
				      json_stringn(at, (size_t)(end - at)));
	return json_pack("{s:o}", "mistakes", list);
}

static json_t *
judge(const json_t *c)
{
	const json_t *facts = json_object_get(c, "facts");
	struct judge j = { .p = policy_new(), .aws = is_true(facts, "aws") };
	json_t *out;

	buf_init(&j.lines, LINES_MAX);
	add_document(&j, POLICY_TRAFFIC, "traffic",
		     json_object_get(c, "traffic"));
	add_document(&j, POLICY_RULE_SET, "ruleset",
		     json_object_get(c, "ruleset"));
	add_lists(&j, json_object_get(c, "lists"));
	read_facts(&j, facts);
	read_message(&j, json_object_get(c, "message"), facts);
	out = j.mistakes > 0 ? show_mistakes(&j.lines)
		: show_verdict(&j, is_true(facts, "full") ? VERDICT_FULL : 0);
	buf_free(&j.lines);
	policy_free(j.p);
	arena_free(&j.a);
	return out;
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	decode_init();
	while ((n = getline(&line, &room, stdin)) > 0) {
		json_t *c = json_loadb(line, (size_t)n, JSON_ALLOW_NUL, NULL);
		json_t *out = c ? judge(c) : NULL;

		if (out == NULL)
			bad(line);
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(out);
		json_decref(c);
	}
	free(line);
	return 0;
}
