#include <config.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "settings-private.h"
#include "snapshot.h"

#define PATH_MOST (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

struct check {
	struct filter_settings *s;
	struct arena *arena;
	struct config_mistakes *m;
};

static bool
only(const char *s, const char *allowed)
{
	return s[strspn(s, allowed)] == '\0';
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool
is_name(const char *s)
{
	const size_t n = strlen(s);

	return n >= 3 && n <= 63 && only(s, LETTERS DIGITS "_-");
}

static bool
is_something(const char *s)
{
	return *s != '\0';
}

static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* RFC 5322, 3.6.8; and nothing that a regular field could not be called. */
static bool
is_header(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == ':')
			return false;
	return *s != '\0';
}

/* Without a blank or what ends it in a field (RFC 8601, 2.2). */
static bool
is_token(const char *s)
{
	return *s != '\0' && is_printable(s) &&
		strpbrk(s, " \";/()<>,") == NULL;
}

/* Without empty segments, "." and "..": equal files have equal names. */
static bool
is_file(const char *s)
{
	if (*s != '/' || s[1] == '\0')
		return false;
	while (*s != '\0') {
		const size_t n = strcspn(++s, "/");

		if (n == 0 || (n == 1 && *s == '.') ||
		    (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
	}
	return true;
}

/* Decimal, 1 to 65535, to the end; 0: it is none. */
static int
port_of(const char *s)
{
	if (!isdigit((unsigned char)*s) || strlen(s) > 5 || !only(s, DIGITS))
		return 0;
	return atoi(s) > 65535 ? 0 : atoi(s);
}

/* HOST:PORT, [V6]:PORT; host gets what stands before the colon. */
static int
split_port(struct arena *a, const char *s, const char **host_r)
{
	const char *colon = strrchr(s, ':');
	size_t n;

	if (colon == NULL || colon == s)
		return 0;
	n = (size_t)(colon - s);
	if (*s == '[' && s[n - 1] == ']' && n > 2)
		*host_r = arena_strndup(a, s + 1, n - 2);
	else if (memchr(s, ':', n) == NULL && *s != '[')
		*host_r = arena_strndup(a, s, n);
	else
		return 0;
	return port_of(colon + 1);
}

static bool
is_socket(struct arena *a, const char *s)
{
	const char *host;

	if (strcmp(s, "fd") == 0)
		return true;
	if (strncmp(s, "unix:", 5) == 0)
		return is_file(s + 5) && strlen(s + 5) <= PATH_MOST;
	return strncmp(s, "inet:", 5) == 0 &&
		split_port(a, s + 5, &host) > 0 &&
		only(host, LETTERS DIGITS ".:-_%");
}

/* A range, or one address. */
static int
read_range(struct arena *a, const char *text, struct range *r_r)
{
	struct ip ip;

	if (range_read(text, r_r) == 0)
		return 0;
	if (strchr(text, '/') != NULL || facts_ip(text, &ip) < 0)
		return -1;
	return range_read(arena_printf(a, "%s/%d", text,
				       strchr(text, ':') ? 128 : 32), r_r);
}

static void
mistake(struct check *c, const char *path, const char *key, const char *found,
	const char *expected)
{
	config_mistake(c->m, arena_printf(c->arena, "%s.%s", path, key), found,
		       "%s", expected);
}

/* A value that may be missing, against a question. */
static void
check_text(struct check *c, const char *path, const char *key,
	   const char *value, bool (*ok)(const char *s), const char *expected)
{
	if (value != NULL && !ok(value))
		mistake(c, path, key, value, expected);
}

static const char an_absolute_file[] =
	"an absolute file without \".\", \"..\" or empty parts";
static const char a_range[] =
	"ADDRESS or ADDRESS/BITS, as 192.0.2.0/24 or 2001:db8::/32";

static struct range *
read_ranges(struct check *c, const char *key, const char **texts, size_t n)
{
	struct range *all = arena_alloc(c->arena, (n + 1) * sizeof(*all));

	for (size_t i = 0; i < n; i++)
		if (read_range(c->arena, texts[i], &all[i]) < 0)
			config_mistake(c->m, arena_printf(c->arena,
				       "milter.%s[%zu]", key, i), texts[i],
				       "%s", a_range);
	return all;
}

static void
check_networks(struct check *c)
{
	static const char *const ourselves[] = { "127.0.0.0/8", "::1/128" };
	struct filter_settings *s = c->s;

	if (s->trusted_text == NULL) {
		s->trusted_text = arena_alloc(c->arena, sizeof(ourselves));
		memcpy(s->trusted_text, ourselves, sizeof(ourselves));
		s->trusted_text_n = 2;
	}
	s->trusted = read_ranges(c, "trusted_networks", s->trusted_text,
				 s->trusted_text_n);
	s->trusted_n = s->trusted_text_n;
	s->relays = read_ranges(c, "fallback_relays", s->relays_text,
				s->relays_text_n);
	s->relays_n = s->relays_text_n;
}

static void
check_lists(struct check *c)
{
	const struct filter_settings *s = c->s;

	for (size_t i = 0; i < s->analyses_n; i++)
		check_text(c, arena_printf(c->arena, "milter.analyses[%zu]",
					   i), "header", s->analyses[i].header,
			   is_header, "the name of a header field");
	for (size_t i = 0; i < s->lists_n; i++)
		check_text(c, arena_printf(c->arena,
					   "milter.address_lists[%zu]", i),
			   "file", s->lists[i].file, is_file,
			   an_absolute_file);
	for (size_t i = 0; i < s->documents_n; i++)
		if (!is_file(s->documents[i]))
			config_mistake(c->m, arena_printf(c->arena,
				       "milter.documents[%zu]", i),
				       s->documents[i], "%s",
				       an_absolute_file);
}

/* One target, one way: who reads the list must not have to know its order. */
static void
check_targets(struct check *c)
{
	const struct filter_settings *s = c->s;

	for (size_t i = 0; i < s->targets_n; i++)
		for (size_t k = 0; k < i; k++) {
			const char *target = s->targets[i].target;

			if (target == NULL || s->targets[k].target == NULL ||
			    strcmp(target, s->targets[k].target) != 0)
				continue;
			mistake(c, arena_printf(c->arena,
						"milter.targets[%zu]", i),
				"target", target, "each target once");
			break;
		}
}

/* A directory's name, and nothing to surprise a shell. */
static bool
is_archive(const char *s)
{
	const size_t n = strlen(s);

	return n >= 1 && n <= 63 && *s != '.' && *s != '-' &&
		only(s, LETTERS DIGITS "._-");
}

static const char an_archive[] =
	"a name of 1 to 63 letters, digits, \"_\", \"-\" and \".\"";

/* Without a name it is called as its target, an ARN as what ends it. */
static void
check_archives(struct check *c)
{
	struct filter_settings *s = c->s;

	check_text(c, "milter.archive", "directory", s->archive->directory,
		   is_file, an_absolute_file);
	check_text(c, "milter.archive", "default", s->archive->rest,
		   is_archive, an_archive);
	for (size_t i = 0; i < s->targets_n; i++) {
		struct target_settings *t = &s->targets[i];
		const char *path = arena_printf(c->arena, "milter.targets[%zu]",
						i);
		const char *slash = t->target ? strrchr(t->target, '/') : NULL;

		if (t->archive != NULL && t->way != TARGET_CARRY)
			mistake(c, path, "archive", t->archive,
				"the action \"carry\" beside it");
		if (t->way != TARGET_CARRY || t->target == NULL)
			continue;
		if (t->archive == NULL)
			t->archive = slash ? slash + 1 : t->target;
		check_text(c, path, "archive", t->archive, is_archive,
			   an_archive);
	}
}

static void
check_listener(struct check *c, struct ingress_settings *g, const char *path)
{
	const char *host;

	if (g->listener == NULL)
		return;
	g->listener_port = split_port(c->arena, g->listener, &host);
	if (g->listener_port == 0 ||
	    (strcmp(host, "*") != 0 && facts_ip(host, &g->listener_ip) < 0))
		mistake(c, path, "listener", g->listener,
			"ADDRESS:PORT, [ADDRESS]:PORT or *:PORT, as "
			"192.0.2.1:25, [2001:db8::1]:25 or *:25");
}

/* {x} as libmilter asks for it; a name of one letter has no braces there. */
static void
check_macro(struct check *c, struct ingress_settings *g, const char *path)
{
	const char *s = g->macro;
	size_t n;

	if ((s == NULL) != (g->value == NULL))
		config_mistake(c->m, path, NULL, "%s", s ? "value (of macro)" :
			       "macro (whose value it is)");
	if (s == NULL)
		return;
	n = strlen(s);
	if (n > 2 && *s == '{' && s[n - 1] == '}')
		s = arena_strndup(c->arena, s + 1, n - 2);
	if (*s == '\0' || !only(s, LETTERS DIGITS "_"))
		mistake(c, path, "macro", g->macro, "{NAME} of letters, "
			"digits and \"_\", as milter_macro_defaults has it");
	else
		g->macro = s[1] == '\0' ? s :
			arena_printf(c->arena, "{%s}", s);
}

static void
check_filters(struct check *c, struct ingress_settings *g, const char *path)
{
	for (size_t i = 0; i < g->ip_filters_n; i++) {
		struct ip_filter *f = &g->ip_filters[i];

		if (f->cidr != NULL &&
		    read_range(c->arena, f->cidr, &f->range) < 0)
			mistake(c, arena_printf(c->arena, "%s.ip_filters[%zu]",
						path, i), "Cidr", f->cidr,
				a_range);
	}
}

/* Which sessions are its. */
static void
check_selector(struct check *c, struct ingress_settings *g, const char *path)
{
	const int n = (g->listener != NULL) + (g->daemon_name != NULL) +
		(g->macro != NULL);

	check_listener(c, g, path);
	check_macro(c, g, path);
	/* Empty is what every session has that does not have it. */
	check_text(c, path, "daemon_name", g->daemon_name, is_something,
		   "a name");
	check_text(c, path, "value", g->value, is_something, "a value");
	if (n > 1)
		config_mistake_plain(c->m, path, "more than one of them",
				     "listener, daemon_name, or macro with "
				     "value");
	if (n > 0 && g->name != NULL && strcmp(g->name, SNAPSHOT_DEFAULT) == 0)
		mistake(c, path, "name", g->name, "another name (that one is "
			"for the sessions that no other ingress point claims)");
}

static void
check_ingress(struct check *c, struct ingress_settings *g, const char *path)
{
	check_text(c, path, "name", g->name, is_name,
		   "3 to 63 letters, digits, \"_\" and \"-\"");
	check_selector(c, g, path);
	check_filters(c, g, path);
	check_text(c, path, "traffic_policy", g->traffic_policy, is_file,
		   an_absolute_file);
	check_text(c, path, "rule_set", g->rule_set, is_file,
		   an_absolute_file);
	check_text(c, path, "deny_text", g->deny_text, is_printable,
		   "printable ASCII");
	g->tls %= 2;		/* Optional and Require are the same */
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
takes_the_rest(const struct ingress_settings *g)
{
	return g->listener == NULL && g->daemon_name == NULL &&
		g->macro == NULL && !same(g->name, SNAPSHOT_SUBMISSION);
}

/* What two of them must not share, NULL: all is well. */
static const char *
conflict(const struct ingress_settings *a, const struct ingress_settings *b)
{
	if (same(a->name, b->name))
		return "a name of its own";
	if (a->listener_port > 0 && a->listener_port == b->listener_port &&
	    memcmp(&a->listener_ip, &b->listener_ip,
		   sizeof(a->listener_ip)) == 0)
		return "a listener of its own";
	if (same(a->daemon_name, b->daemon_name))
		return "a daemon_name of its own";
	if (same(a->macro, b->macro) && same(a->value, b->value))
		return "a macro with a value of its own";
	if (takes_the_rest(a) && takes_the_rest(b))
		return "listener, daemon_name, or macro with value (only one "
			"ingress point can do without)";
	return NULL;
}

static void
check_ingresses(struct check *c)
{
	struct ingress_settings *all = c->s->ingresses;

	for (size_t i = 0; i < c->s->ingresses_n; i++) {
		const char *path = arena_printf(c->arena,
						"milter.ingress_points[%zu]",
						i);

		check_ingress(c, &all[i], path);
		for (size_t k = 0; k < i; k++) {
			const char *wanted = conflict(&all[k], &all[i]);

			if (wanted != NULL)
				config_mistake_plain(c->m, path, arena_printf(
					c->arena, "the same as in "
					"ingress_points[%zu]", k), "%s",
					wanted);
		}
	}
}

void
filter_settings_check(struct filter_settings *s, struct config_mistakes *m)
{
	struct check c = { s, &s->arena, m };

	if (s->on_failure == NULL)
		s->on_failure = arena_alloc(c.arena,
					    TROUBLES * sizeof(int));
	if (s->socket != NULL && !is_socket(c.arena, s->socket))
		mistake(&c, "milter", "socket", s->socket, "unix:PATH (an "
			"absolute one of at most 107 bytes), inet:HOST:PORT "
			"or fd");
	if (s->socket_group != NULL && (*s->socket_group == '\0' ||
	    strpbrk(s->socket_group, ":/ ") != NULL))
		mistake(&c, "milter", "socket_group", s->socket_group,
			"a group's name");
	if (s->control_socket != NULL && (!is_file(s->control_socket) ||
	    strlen(s->control_socket) > PATH_MOST))
		mistake(&c, "milter", "control_socket", s->control_socket,
			"an absolute path of at most 107 bytes");
	check_text(&c, "milter", "metrics_file", s->metrics_file, is_file,
		   an_absolute_file);
	check_text(&c, "milter", "authserv_id", s->authserv_id, is_token,
		   "a name without blanks");
	if (s->authserv_job && s->authserv_id == NULL)
		mistake(&c, "milter", "authserv_job", "true",
			"authserv_id beside it");
	check_networks(&c);
	check_lists(&c);
	check_targets(&c);
	check_archives(&c);
	check_ingresses(&c);
}

bool
ip_in(const struct ip *ip, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n && ip->family != 0; i++)
		if (range_has(&ranges[i], ip))
			return true;
	return false;
}

bool
ip_refused(const struct ip *ip, const struct ip_filter *filters, size_t n)
{
	bool refused = false;

	for (size_t i = 0; i < n && ip->family != 0; i++) {
		if (!range_has(&filters[i].range, ip))
			continue;
		if (!filters[i].block)
			return false;
		refused = true;
	}
	return refused;
}
