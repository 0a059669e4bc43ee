#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "logline.h"
#include "logline-private.h"
#include "policy/verdict-json.h"
#include "record.h"

#include <arpa/inet.h>

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Bytes of the UTF-8 character at s (RFC 3629), 0: it is none. */
static size_t
character(const unsigned char *s)
{
	const unsigned char c = s[0], d = s[1];
	const size_t n = c < 0x80 ? 1
		: c >= 0xc2 && c < 0xe0 ? 2
		: c >= 0xe0 && c < 0xf0 ? 3
		: c >= 0xf0 && c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) ||
	    (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f))
		return 0;
	return n;
}

static bool
is_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = character(s);
		if (n == 0)
			return false;
	}
	return true;
}

/* RFC 4648, 4. */
static void
add_base64(struct buf *out, const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		const unsigned long v = (unsigned long)s[i] << 16 |
			(i + 1 < n ? (unsigned long)s[i + 1] << 8 : 0) |
			(i + 2 < n ? s[i + 2] : 0);
		const char part[4] = {
			digits[v >> 18],
			digits[v >> 12 & 63],
			i + 1 < n ? digits[v >> 6 & 63] : '=',
			i + 2 < n ? digits[v & 63] : '=',
		};

		buf_add(out, part, sizeof(part));
	}
}

static void
add_string(struct buf *out, const char *s)
{
	if (is_utf8(s)) {
		verdict_json_string(out, s);
		return;
	}
	buf_printf(out, "{\"base64\":\"");
	add_base64(out, (const unsigned char *)s, strlen(s));
	buf_printf(out, "\"}");
}

/* ,"KEY":VALUE; nothing if there is no value. */
static void
add(struct buf *out, const char *key, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_printf(out, ",\"%s\":", key);
	add_string(out, value);
}

static void
add_list(struct buf *out, const char *key, const char *const *all, size_t n)
{
	buf_printf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		buf_add(out, ",", i > 0);
		add_string(out, all[i]);
	}
	buf_add(out, "]", 1);
}

/* What the client wrote where it is not the address in brackets. Each parameter
 * by itself; they have no blanks (RFC 5321, 4.1.2). */
static void
add_address(struct buf *out, const char *address,
	    const struct keep_address *k, struct arena *a)
{
	const char *parameters = k ? k->parameters : NULL, *glue = "";

	buf_printf(out, "{\"address\":");
	add_string(out, address);
	if (k != NULL && k->written != NULL &&
	    strcmp(k->written, arena_printf(a, "<%s>", address)) != 0)
		add(out, "written", k->written);
	buf_printf(out, ",\"parameters\":[");
	while (parameters != NULL && *parameters != '\0') {
		const size_t n = strcspn(parameters, " ");

		buf_printf(out, "%s", glue);
		add_string(out, arena_strndup(a, parameters, n));
		parameters += n + (parameters[n] == ' ');
		glue = ",";
	}
	buf_printf(out, "]}");
}

static void
add_envelope(struct buf *out, const struct message *m, struct arena *a)
{
	const struct keep *k = &m->keep;

	buf_printf(out, ",\"envelope\":{\"from\":");
	add_address(out, m->mail_from, &k->mail, a);
	buf_printf(out, ",\"recipients\":[");
	for (size_t i = 0; i < m->recipients_n; i++) {
		buf_add(out, ",", i > 0);
		add_address(out, m->recipients[i],
			    i < k->rcpt_n ? &k->rcpt[i] : NULL, a);
	}
	buf_printf(out, "]}");
}

static void
add_client(struct buf *out, const struct record *x)
{
	const struct message *m = &x->session->message;
	const struct judgement *j = x->judgement;
	char text[INET6_ADDRSTRLEN];

	buf_printf(out, ",\"client\":{\"address\":");
	add_string(out, m->client.family == 0 ? "" :
		   logline_client(&m->client, text, sizeof(text)));
	add(out, "name", m->keep.client_name);
	add(out, "port", m->keep.client_port);
	buf_printf(out, "}");
	if (m->relayed && j != NULL) {
		add(out, "origin", logline_client(&j->facts.client, text,
						  sizeof(text)));
		add(out, "origin_helo", j->facts.helo);
	}
	add(out, "helo", x->session->helo);
}

static void
add_session(struct buf *out, const struct message *m)
{
	if (m->tls_name != NULL) {
		buf_printf(out, ",\"tls\":{\"version\":");
		add_string(out, m->tls_name);
		add(out, "cipher", m->cipher);
		add(out, "certificate", m->cert_cn);
		buf_printf(out, "}");
	}
	if (m->auth_user != NULL) {
		buf_printf(out, ",\"auth\":{\"user\":");
		add_string(out, m->auth_user);
		add(out, "type", m->keep.auth_type);
		buf_printf(out, "}");
	}
}

/* `a@b: rule vip: Archive, Drop`, for people. */
static void
add_trail(struct buf *out, const struct verdict *v, struct arena *a)
{
	const char *glue = "";

	buf_printf(out, ",\"trail\":[");
	for (size_t i = 0; i < v->recipients_n && i < JUDGE_TRAIL_MAX; i++) {
		const struct verdict_recipient *r = &v->recipients[i];

		for (size_t k = 0; k < r->rules_n; k++) {
			const struct trail_step *s = &r->rules[k];
			const char *line;

			if (!s->matched)
				continue;
			line = *s->name != '\0'
				? arena_printf(a, "%s: rule %s:", r->recipient,
					       s->name)
				: arena_printf(a, "%s: rule #%zu:",
					       r->recipient, s->index);
			for (size_t n = 0; n < s->actions_n; n++)
				line = arena_printf(a, "%s%s %s", line,
						    n > 0 ? "," : "",
						    s->actions[n]);
			buf_printf(out, "%s", glue);
			add_string(out, line);
			glue = ",";
		}
	}
	buf_printf(out, "]");
}

static void
add_wanted(struct buf *out, const struct record *x, struct arena *a)
{
	const struct message *m = &x->session->message;
	const char **all = arena_alloc(a, (m->recipients_n + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < m->recipients_n; i++)
		if (x->wanted[i])
			all[n++] = m->recipients[i];
	add_list(out, "archived_for", all, n);
}

static void
add_plan(struct buf *out, const struct plan *p)
{
	add(out, "result", result_words[p->result]);
	if (*p->reply.code != '\0') {
		add(out, "code", p->reply.code);
		add(out, "status", p->reply.status);
		add(out, "text", p->reply.text);
	}
	if (p->trouble >= 0)
		add(out, "failure", trouble_words[p->trouble]);
	add_list(out, "rules", p->rules, p->rules_n);
	if (p->gone_n > 0)
		add_list(out, "recipients_removed", p->gone, p->gone_n);
	if (p->come_n > 0)
		add_list(out, "recipients_added", p->come, p->come_n);
	add(out, "quarantine", p->hold);
}

void
record_write(const struct record *x, struct buf *out)
{
	const struct message *m = &x->session->message;
	const struct judgement *j = x->judgement;
	struct arena a = { NULL };

	buf_printf(out, "{\"version\":\"%s\"", PACKAGE_VERSION);
	add(out, "queue_id", m->queue_id);
	add(out, "ingress", m->ingress->s->name);
	add(out, "route", m->relayed ? "fallback" : "direct");
	add_client(out, x);
	add_session(out, m);
	add_envelope(out, m, &a);
	if (x->wanted != NULL)
		add_wanted(out, x, &a);
	add_plan(out, x->plan);
	if (j != NULL) {
		add_trail(out, &j->verdict, &a);
		buf_printf(out, ",\"verdict\":");
		verdict_json_matched(out, m->queue_id, &j->verdict);
	}
	buf_printf(out, "}");
	arena_free(&a);
}
