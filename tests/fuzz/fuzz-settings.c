#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "milter/settings.h"
#include "sync/settings.h"

static void
s3_ok(const struct source_settings *from)
{
	const size_t n = strlen(from->prefix);

	PROMISE(strlen(from->bucket) >= 3 && strlen(from->bucket) <= 63);
	PROMISE(strpbrk(from->bucket, "/ :?#%") == NULL);
	PROMISE(n == 0 || (n <= 1024 && from->prefix[n - 1] == '/'));
	PROMISE(from->settle == 0);
	PROMISE(from->aws->connections >= 1 && from->aws->connections <= 64);
}

/* What the rest of the program relies on without looking again. */
static void
settings_ok(const struct settings *s)
{
	PROMISE(s->engine_user != NULL);
	for (size_t i = 0; i < s->sources_n; i++) {
		const struct source_settings *from = &s->sources[i];

		PROMISE((from->path != NULL) != (from->bucket != NULL));
		PROMISE((from->aws != NULL) == (from->bucket != NULL));
		PROMISE(from->path == NULL || from->path[0] == '/');
		if (from->bucket != NULL)
			s3_ok(from);
		PROMISE(from->settle >= 0 && from->settle <= 86400);
		PROMISE(from->authority != AUTHORITY_NOTIFICATION);
		for (size_t r = 0; r < from->routes_n; r++) {
			const struct route *route = &from->routes[r];

			PROMISE(route->maildir != NULL);
			PROMISE((route->prefix == NULL) !=
				(route->recipient == NULL));
			PROMISE(strstr(route->maildir, "/../") == NULL);
		}
	}
}

static void
ingress_ok(const struct ingress_settings *g)
{
	PROMISE(strlen(g->name) >= 3 && g->deny_text != NULL);
	PROMISE((g->listener != NULL) == (g->listener_port > 0));
	PROMISE((g->macro != NULL) == (g->value != NULL));
	PROMISE(g->traffic_policy == NULL || g->traffic_policy[0] == '/');
	PROMISE(g->rule_set == NULL || g->rule_set[0] == '/');
	PROMISE(g->tls == TLS_POLICY_OPTIONAL || g->tls == TLS_POLICY_REQUIRED);
	PROMISE(g->max_size >= 0);
	for (size_t i = 0; i < g->ip_filters_n; i++)
		PROMISE(g->ip_filters[i].range.ip.family != 0);
}

static void
filter_ok(const struct filter_settings *s)
{
	PROMISE(s->socket != NULL && s->socket_group != NULL);
	PROMISE(s->control_socket != NULL && s->control_socket[0] == '/');
	PROMISE(s->concurrency >= 1 && s->wait >= 0 && s->drain >= 0);
	PROMISE(s->on_failure != NULL);
	PROMISE(s->on_failure[TROUBLE_EDIT] != TROUBLE_REJECT);
	for (size_t i = 0; i < s->trusted_n; i++)
		PROMISE(s->trusted[i].ip.family != 0);
	for (size_t i = 0; i < s->relays_n; i++)
		PROMISE(s->relays[i].ip.family != 0);
	for (size_t i = 0; i < s->targets_n; i++)
		PROMISE(s->targets[i].target != NULL);
	for (size_t i = 0; i < s->ingresses_n; i++)
		ingress_ok(&s->ingresses[i]);
}

/* The milter's half of the same text. */
static void
read_filter(const uint8_t *data, size_t size, struct buf *mistakes)
{
	struct filter_settings s;
	struct err e = { 0 };
	int r = filter_settings_parse(&s, "f.json", (const char *)data, size,
				      mistakes, &e);

	if (r == 0)
		filter_ok(&s);
	else
		PROMISE(e.kind == ERR_STOP && s.ingresses == NULL);
	filter_settings_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = { 0 };
	struct buf mistakes;
	struct err e = { 0 };
	int r;

	buf_init(&mistakes, 65536);
	r = settings_parse(&s, "f.json", (const char *)data, size, &mistakes,
			   &e);
	if (r == 0)
		settings_ok(&s);
	else
		PROMISE(e.kind == ERR_STOP && s.sources == NULL);
	read_filter(data, size, &mistakes);
	for (size_t i = 0; i < mistakes.len; i++) {
		const char c = mistakes.data[i];

		PROMISE(c == '\n' || (c >= ' ' && c < 127));
	}
	settings_free(&s);
	buf_free(&mistakes);
	return 0;
}
