#include <config.h>

#include <string.h>
#include <strings.h>

#include "check-private.h"
#include "lib/base/text.h"

/* Lines to paste. postconf -P takes no blanks in a value, so a list goes into a
 * parameter of main.cf, and the service gets its name. */

/* " -c DIR" of commands for this configuration. */
static const char *
option(struct postfix *p)
{
	char dir[512];

	if (p->options->dir == NULL)
		return "";
	text_quote(dir, sizeof(dir), p->options->dir, strlen(p->options->dir));
	return arena_printf(&p->arena, " -c '%s'", dir);
}

const char *
remedy_main(struct postfix *p, const char *name, const char *value)
{
	const char *c = option(p);

	return arena_printf(&p->arena,
			    "postconf%s -e '%s =%s%s' && postfix%s reload", c,
			    name, *value ? " " : "", value, c);
}

const char *
remedy_service(struct postfix *p, const struct service *s, const char *name,
	       const char *value)
{
	const char *c = option(p);

	return arena_printf(&p->arena,
			    "postconf%s -P '%s/%s=%s' && postfix%s reload", c,
			    s->id, name, value, c);
}

/* How Postfix would best name us: below its queue directory, so that it is
 * right with a chroot and without. */
static const char *
our_endpoint(struct postfix *p)
{
	const char *queue = postconf_value(&p->conf, NULL, "queue_directory");
	const size_t n = strlen(queue);

	if (p->inet != NULL)
		return p->inet;
	if (strncmp(p->path, queue, n) == 0 && p->path[n] == '/')
		return arena_printf(&p->arena, "unix:%s",
				    p->path + n + strspn(p->path + n, "/"));
	return arena_printf(&p->arena, "unix:%s", p->path);
}

/* Whether an entry of ours can stay as it is. */
static bool
is_good(const struct milter_entry *m, enum entry_kind kind)
{
	return kind == ENTRY_OURS && m->protocol == NULL &&
	       (m->action == NULL || strcmp(m->action, "tempfail") == 0 ||
		strcmp(m->action, "shutdown") == 0);
}

static const char *
our_entry(struct postfix *p, const struct asked *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_good(&a->entries[i], a->kinds[i]) &&
		    a->entries[i].action != NULL)
			return a->entries[i].text;
	return arena_printf(&p->arena, "{ %s, default_action=tempfail }",
			    our_endpoint(p));
}

/* The others, in their order. */
static const char *
others(struct postfix *p, const struct asked *a)
{
	const char *list = "";

	for (size_t i = 0; i < a->n; i++)
		if (a->kinds[i] == ENTRY_OTHER)
			list = arena_printf(&p->arena, "%s%s%s", list,
					    *list ? ", " : "",
					    a->entries[i].text);
	return list;
}

/* The parameter that a service's own value names: "$mx_milters"; else NULL. */
static const char *
named(struct postfix *p, const char *own)
{
	size_t n;

	if (own == NULL || *own++ != '$')
		return NULL;
	if (*own == '{' || *own == '(')
		own++;
	n = strspn(own, "abcdefghijklmnopqrstuvwxyz"
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (n == 0 || strspn(own + n, "})") != strlen(own + n))
		return NULL;
	return arena_strndup(&p->arena, own, n);
}

static const char *
put(struct postfix *p, const struct asked *a, const char *list)
{
	const char *own = a->service ? postconf_own(a->service, a->parameter) :
			  NULL;
	const char *name = named(p, own), *c = option(p);

	if (name != NULL)
		return remedy_main(p, name, list);
	if (own == NULL && a->ours_n + a->astray_n > 0)
		return remedy_main(p, a->parameter, list);
	/* A name that is taken has another meaning. */
	name = *postconf_value(&p->conf, NULL, "mx_milters") == '\0' ?
	       "mx_milters" : "fallbackmx_milters";
	return arena_printf(&p->arena, "postconf%s -e '%s = %s' && "
			    "postconf%s -P '%s/%s=$%s' && postfix%s reload", c,
			    name, list, c, a->service->id, a->parameter, name,
			    c);
}

/* What it should be: the others, and us. */
const char *
remedy_list(struct postfix *p, const struct asked *a)
{
	const char *rest = others(p, a);

	return arena_printf(&p->arena, "%s%s%s", rest, *rest ? ", " : "",
			    our_entry(p, a));
}

const char *
remedy_ask(struct postfix *p, const struct asked *a)
{
	return put(p, a, remedy_list(p, a));
}

#define OVERRIDES "receive_override_options"

/* The words but no_milters, behind first, with commas alone: postconf -P takes
 * no blanks. */
static const char *
overrides(struct postfix *p, const struct service *s, const char *first)
{
	const char *rest = postconf_value(&p->conf, s, OVERRIDES);
	const char *all = first;

	while (*(rest += strspn(rest, ", \t")) != '\0') {
		const size_t n = strcspn(rest, ", \t");

		if (n != 10 || strncasecmp(rest, "no_milters", n) != 0)
			all = arena_printf(&p->arena, "%s%s%.*s", all,
					   *all ? "," : "", (int)n, rest);
		rest += n;
	}
	return all;
}

const char *
remedy_no_milters(struct postfix *p, const struct service *s)
{
	return remedy_service(p, s, OVERRIDES, overrides(p, s, "no_milters"));
}

/* Other services may need what main.cf says. */
const char *
remedy_milters(struct postfix *p, const struct service *s)
{
	return remedy_service(p, s, OVERRIDES, overrides(p, s, ""));
}

const char *
remedy_not_ask(struct postfix *p, const struct asked *a)
{
	const char *rest = others(p, a);

	if (a->service != NULL && *rest == '\0' &&
	    postconf_own(a->service, a->parameter) != NULL)
		return remedy_service(p, a->service, a->parameter, "");
	return put(p, a, rest);
}
