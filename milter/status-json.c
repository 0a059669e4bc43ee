#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshot.h"
#include "status.h"

/* Strings are printable ASCII, or become so. */
static void
add_string(struct buf *out, const char *s, size_t n)
{
	buf_add(out, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_printf(out, "\\u%04x", c);
		else
			buf_add(out, &s[i], 1);
	}
	buf_add(out, "\"", 1);
}

static void
add_mistakes(struct buf *out, const char *line)
{
	const char *glue = "";

	buf_printf(out, "\"mistakes\":[");
	while (line != NULL && *line != '\0') {
		const size_t n = strcspn(line, "\n");

		buf_printf(out, "%s", glue);
		add_string(out, line, n);
		line += n + (line[n] == '\n');
		glue = ",";
	}
	buf_printf(out, "]");
}

static void
add_document(struct buf *out, const char *what, const struct policy *p,
	     enum policy_kind kind, const char *file, int mode)
{
	const char *name;

	if (p == NULL)
		return;
	name = policy_name(p, kind);
	buf_printf(out, ",\"%s\":{\"mode\":\"%s\",\"file\":", what,
		   filter_modes[mode]);
	add_string(out, file, strlen(file));
	if (name != NULL) {
		buf_printf(out, ",\"name\":");
		add_string(out, name, strlen(name));
	}
	buf_printf(out, "}");
}

static void
add_ingress(struct buf *out, const struct ingress *g)
{
	const struct ingress_settings *s = g->s;

	buf_printf(out, "{\"name\":\"%s\",\"open\":%s", s->name,
		   s->open ? "true" : "false");
	add_document(out, "traffic_policy", g->traffic, POLICY_TRAFFIC,
		     s->traffic_policy, s->traffic_mode);
	add_document(out, "rule_set", g->rules, POLICY_RULE_SET, s->rule_set,
		     s->rule_set_mode);
	buf_printf(out, "}");
}

int
status_json(void *arg, struct buf *out)
{
	struct snapshot *s = snapshot_hold();
	struct snapshot_state state;

	(void)arg;
	snapshot_state(&state);
	buf_printf(out, "{\"version\":\"%s\",\"pid\":%d,\"started\":%llu,"
		   "\"generation\":%u,\"loaded\":%lld,\"ok\":%s",
		   PACKAGE_VERSION, (int)getpid(), (unsigned long long)
		   counter_read(counter_get(METRIC_START, NULL)),
		   state.generation, (long long)state.loaded,
		   state.failing_since == 0 ? "true" : "false");
	if (s != NULL) {
		buf_printf(out, ",\"file\":");
		add_string(out, s->file, strlen(s->file));
	}
	if (state.tried != 0)
		buf_printf(out, ",\"tried\":%lld", (long long)state.tried);
	if (state.failing_since != 0)
		buf_printf(out, ",\"failing_since\":%lld",
			   (long long)state.failing_since);
	buf_printf(out, ",");
	add_mistakes(out, state.mistakes);
	buf_printf(out, ",\"ingress_points\":[");
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		buf_printf(out, "%s", i > 0 ? "," : "");
		add_ingress(out, &s->ingresses[i]);
	}
	buf_printf(out, "],\"counters\":");
	counter_json(out);
	buf_printf(out, "}\n");
	snapshot_drop(s);
	free(state.mistakes);
	return state.failing_since == 0 ? EX_OK : EX_CONFIG;
}
