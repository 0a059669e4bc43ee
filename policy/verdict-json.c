#include <config.h>

#include <stdbool.h>
#include <string.h>

#include "verdict-json.h"

const char *const disposition_names[] = {
	[DISPOSITION_ACCEPT] = "ACCEPT",
	[DISPOSITION_DROP] = "DROP",
	[DISPOSITION_QUARANTINE] = "QUARANTINE",
	[DISPOSITION_REJECT] = "REJECT",
	[DISPOSITION_TEMPFAIL] = "TEMPFAIL",
};

static const char *const by_names[] = {
	[TRAFFIC_BY_STATEMENT] = "STATEMENT",
	[TRAFFIC_BY_DEFAULT] = "DEFAULT",
	[TRAFFIC_BY_SIZE] = "SIZE",
};

/* Bytes of the character at s (RFC 3629, 4), 0: it is none. */
static size_t
utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if (*s == 0xe0)
		low = 0xa0;
	else if (*s == 0xed)
		high = 0x9f;
	else if (*s == 0xf0)
		low = 0x90;
	else if (*s == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void
add(struct buf *out, const char *text)
{
	buf_add(out, text, strlen(text));
}

void
verdict_json_string(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	add(out, "\"");
	while (*s != '\0') {
		size_t n = utf8_length(s);

		if (n == 0) {
			add(out, "\\ufffd");
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			buf_printf(out, "\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			buf_printf(out, "\\u%04x", *s);
		} else if (*s == 0xc2 && s[1] < 0xa0) {
			/* Terminals obey these control characters, too. */
			buf_printf(out, "\\u%04x", s[1]);
		} else {
			buf_add(out, s, n);
		}
		s += n;
	}
	add(out, "\"");
}

static void
add_strings(struct buf *out, const char *const *all, size_t n)
{
	add(out, "[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			add(out, ",");
		verdict_json_string(out, all[i]);
	}
	add(out, "]");
}

static void
add_rule(struct buf *out, const struct trail_step *rule)
{
	add(out, "{\"name\":");
	verdict_json_string(out, rule->name);
	buf_printf(out,
		   ",\"index\":%zu,\"matched\":%s,\"actions\":", rule->index,
		   rule->matched ? "true" : "false");
	add_strings(out, rule->actions, rule->actions_n);
	add(out, "}");
}

static void
add_traffic(struct buf *out, const struct verdict_recipient *r)
{
	buf_printf(out, "{\"verdict\":\"%s\",\"by\":\"%s\",\"statement\":",
		   r->allowed ? "ALLOW" : "DENY", by_names[r->by]);
	if (r->by == TRAFFIC_BY_STATEMENT)
		buf_printf(out, "%zu}", r->statement);
	else
		add(out, "null}");
}

static void
add_rules(struct buf *out, const struct verdict_recipient *r, bool matched)
{
	const char *glue = "";

	add(out, ",\"rules\":[");
	for (size_t i = 0; i < r->rules_n; i++) {
		if (matched && !r->rules[i].matched)
			continue;
		add(out, glue);
		add_rule(out, &r->rules[i]);
		glue = ",";
	}
	add(out, "]");
}

static void
add_recipient(struct buf *out, const struct verdict_recipient *r, bool matched)
{
	add(out, "{\"recipient\":");
	verdict_json_string(out, r->recipient);
	add(out, ",\"traffic\":");
	add_traffic(out, r);
	add_rules(out, r, matched);
	buf_printf(out, ",\"disposition\":\"%s\",\"recipients_after\":",
		   disposition_names[r->disposition]);
	add_strings(out, r->after, r->after_n);
	add(out, "}");
}

static void
write_verdict(struct buf *out, const char *message, const struct verdict *v,
	      bool matched)
{
	add(out, "{\"message\":");
	verdict_json_string(out, message);
	add(out, ",\"recipients\":[");
	for (size_t i = 0; i < v->recipients_n; i++) {
		if (i > 0)
			add(out, ",");
		add_recipient(out, &v->recipients[i], matched);
	}
	add(out, "]}");
}

void
verdict_json(struct buf *out, const char *message, const struct verdict *v)
{
	write_verdict(out, message, v, false);
}

void
verdict_json_matched(struct buf *out, const char *message,
		     const struct verdict *v)
{
	write_verdict(out, message, v, true);
}
