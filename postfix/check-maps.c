/*
 * smtpd_milter_maps: other milters, or none, for some clients.
 */
#include <config.h>

#include <strings.h>

#include "check-private.h"
#include "lib/base/text.h"
#include "table.h"

#define MAPS "smtpd_milter_maps"

/* The line that names us too, as it has to stand there. */
static void
tell(struct postfix *p, const struct asked *a, const struct table_entry *x,
     const char *trouble)
{
	const char *list = remedy_list(p, a);
	const char *key = arena_strdup(&p->arena, text_show(x->key));

	postfix_warn(p, "listener", *x->file == '\0' ?
		     arena_printf(&p->arena, "if it is not meant so, have %s "
				  "say %s", MAPS, list) :
		     arena_printf(&p->arena, "if it is not meant so, line %zu "
				  "of %s: %s %s", x->line, text_show(x->file),
				  key, list),
		     "%s: for clients %s %s %s", a->service->id, key, MAPS,
		     trouble);
}

static bool
check_entry(struct postfix *p, const struct service *s,
	    const struct table_entry *x)
{
	const bool none = strcasecmp(x->value, "DISABLE") == 0;
	const struct asked a = postfix_asked_in(p, s, MAPS,
						none ? "" : x->value);

	if (a.first == NULL)
		tell(p, &a, x, none ? "says that nobody is asked" :
		     "names other milters, not this one");
	else if (a.astray_n > 0)
		tell(p, &a, x, "names a place where the milter is not");
	else if (!a.last || a.ours_n > 1)
		tell(p, &a, x, "does not name the milter once and last");
	else
		return true;
	return false;
}

void
check_maps(struct postfix *p, const struct service *s)
{
	const char *rest = postconf_value(&p->conf, s, MAPS), *table;
	struct table_entry *all;
	struct err e;
	size_t n;

	while ((table = table_next(&rest, &p->arena)) != NULL) {
		const int ret = table_read(table, &p->arena, &all, &n, &e);
		size_t well = 0;

		if (ret < 0)
			postfix_warn(p, "listener", "have its entries name "
				     "the milter, last", "%s: cannot look into "
				     MAPS ": %s", s->id, e.text);
		for (size_t i = 0; ret == 0 && i < n; i++)
			well += check_entry(p, s, &all[i]);
		if (ret == 0 && well == n)
			postfix_ok(p, "listener", "%s: the %zu entries of "
				   MAPS " %s ask the milter too", s->id, n,
				   text_show(table));
	}
}
