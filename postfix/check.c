#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "check-private.h"
#include "lib/base/text.h"

/* Which mail the milter is asked about, and how: reference MILTER_README. */

#define LISTENER "listener"
#define SOCKET_DEFAULT LOCALSTATEDIR "/spool/postfix/fallbackmx/milter.sock"

/* Whose mail a listener takes. */
enum listener {
	LISTENER_STRANGERS,	/* port 25, or behind postscreen */
	LISTENER_USERS,		/* 587, 465 */
	LISTENER_LOCAL,		/* this machine alone: a content filter */
	LISTENER_OTHER,
};

static void
tell(struct postfix *p, struct postfix_result *r, const char *fmt,
     va_list args) __attribute__((format(printf, 3, 0)));

static void
tell(struct postfix *p, struct postfix_result *r, const char *fmt,
     va_list args)
{
	char what[2048];

	vsnprintf(what, sizeof(what), fmt, args);
	r->what = what;
	if (r->code > p->worst)
		p->worst = r->code;
	p->options->result(r);
}

void
postfix_ok(struct postfix *p, const char *name, const char *fmt, ...)
{
	struct postfix_result r = { .level = POSTFIX_OK, .name = name };
	va_list args;

	va_start(args, fmt);
	tell(p, &r, fmt, args);
	va_end(args);
}

void
postfix_warn(struct postfix *p, const char *name, const char *remedy,
	     const char *fmt, ...)
{
	struct postfix_result r = {
		.level = POSTFIX_WARNING, .name = name, .remedy = remedy,
	};
	va_list args;

	va_start(args, fmt);
	tell(p, &r, fmt, args);
	va_end(args);
}

void
postfix_fail(struct postfix *p, const char *name, int code, const char *remedy,
	     const char *fmt, ...)
{
	struct postfix_result r = {
		.level = POSTFIX_FAILED, .name = name, .remedy = remedy,
		.code = code,
	};
	va_list args;

	va_start(args, fmt);
	tell(p, &r, fmt, args);
	va_end(args);
}

static enum entry_kind
kind_of(struct postfix *p, const struct service *s, const char *endpoint)
{
	static const struct service nobody = { .id = "" };
	const char *path = milterlist_path(endpoint, &p->conf,
					   s ? s : &nobody, &p->arena);

	if (p->path != NULL && path != NULL && milterlist_same(path, p->path))
		return ENTRY_OURS;
	if (p->inet != NULL && milterlist_same_inet(endpoint, p->inet))
		return ENTRY_OURS;
	if (strstr(endpoint, "fallbackmx") != NULL)
		return ENTRY_ASTRAY;
	/* Its place was written as if there were no chroot. */
	if (p->path != NULL && strchr(endpoint, '/') != NULL &&
	    milterlist_same(strchr(endpoint, '/'), p->path))
		return ENTRY_ASTRAY;
	return ENTRY_OTHER;
}

struct asked
postfix_asked_in(struct postfix *p, const struct service *s,
		 const char *parameter, const char *list)
{
	struct asked a = { .service = s, .parameter = parameter };

	a.entries = milterlist_parse(list, &p->arena, &a.n);
	a.kinds = arena_alloc(&p->arena, a.n * sizeof(*a.kinds));
	for (size_t i = 0; i < a.n; i++) {
		a.kinds[i] = kind_of(p, s, a.entries[i].endpoint);
		a.ours_n += a.kinds[i] == ENTRY_OURS;
		a.astray_n += a.kinds[i] == ENTRY_ASTRAY;
		if (a.kinds[i] != ENTRY_OTHER && a.first == NULL)
			a.first = &a.entries[i];
		a.last = a.kinds[i] != ENTRY_OTHER;
	}
	return a;
}

struct asked
postfix_asked(struct postfix *p, const struct service *s,
	      const char *parameter)
{
	return postfix_asked_in(p, s, parameter,
				postconf_value(&p->conf, s, parameter));
}

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasecmp(word, *words) == 0)
			return true;
	return false;
}

static bool
is_local(const char *name)
{
	return strncmp(name, "127.", 4) == 0 ||
	       strncmp(name, "[127.", 5) == 0 ||
	       strncmp(name, "[::1]", 5) == 0 ||
	       strncasecmp(name, "localhost:", 10) == 0;
}

static enum listener
listener_of(const struct postfix *p, const struct service *s)
{
	static const char *const users[] = {
		"submission", "587", "submissions", "smtps", "465", NULL,
	};
	static const char *const strangers[] = { "smtp", "25", NULL };
	const char *colon = strrchr(s->name, ':');
	const char *port = colon ? colon + 1 : s->name;

	if (is_local(s->name))
		return LISTENER_LOCAL;
	if (is_one_of(port, users) ||
	    strcmp(postconf_value(&p->conf, s, "milter_macro_daemon_name"),
		   "ORIGINATING") == 0 ||
	    strcasecmp(postconf_value(&p->conf, s, "smtpd_tls_wrappermode"),
		       "yes") == 0)
		return LISTENER_USERS;
	if (strcmp(s->type, "pass") == 0 || is_one_of(port, strangers))
		return LISTENER_STRANGERS;
	return LISTENER_OTHER;
}

/* One that leads elsewhere; why is most often the chroot. */
static void
tell_astray(struct postfix *p, const struct asked *a)
{
	const struct milter_entry *m = a->first;
	const char *path = milterlist_path(m->endpoint, &p->conf, a->service,
					   &p->arena);

	for (size_t i = 0; i < a->n; i++)
		if (a->kinds[i] == ENTRY_ASTRAY)
			m = &a->entries[i];
	if (path == NULL)
		path = m->endpoint;
	postfix_fail(p, LISTENER, EX_CONFIG, remedy_ask(p, a),
		     "%s asks %s, which is %s for it%s; the milter listens at "
		     "%s", a->service->id, text_show(m->endpoint),
		     text_show(path), a->service->chroot ? " (chroot)" : "",
		     p->path ? p->path : p->inet);
}

/* default_action: what happens while the milter is down. */
static bool
check_action(struct postfix *p, const struct asked *a)
{
	static const char *const known[] = {
		"tempfail", "shutdown", "quarantine", NULL,
	};
	const char *action = a->first->action;

	if (action == NULL)
		action = postconf_value(&p->conf, a->service,
					"milter_default_action");
	if (strcasecmp(action, "accept") == 0)
		postfix_warn(p, LISTENER, remedy_ask(p, a), "%s has "
			     "default_action=accept: while the milter is down, "
			     "mail comes in unasked", a->service->id);
	else if (strcasecmp(action, "reject") == 0)
		postfix_warn(p, LISTENER, remedy_ask(p, a), "%s has "
			     "default_action=reject: while the milter is down, "
			     "mail is refused for good", a->service->id);
	else if (!is_one_of(action, known))
		postfix_warn(p, LISTENER, remedy_ask(p, a), "%s has "
			     "default_action=%s, which is no word of Postfix's",
			     a->service->id, text_show(action));
	else
		return true;
	return false;
}

static bool
check_protocol(struct postfix *p, const struct asked *a)
{
	const char *own = a->first->protocol;
	const char *level = own ? own : postconf_value(&p->conf, a->service,
						       "milter_protocol");

	if (strtol(level, NULL, 10) >= 6)
		return true;
	postfix_fail(p, LISTENER, EX_CONFIG,
		     own ? remedy_ask(p, a) :
		     remedy_main(p, "milter_protocol", "6"),
		     "%s speaks milter protocol %s, and the milter needs 6",
		     a->service->id, text_show(level));
	return false;
}

/* What makes a listener pass the milter over although it is named. */
static bool
check_way(struct postfix *p, const struct asked *a)
{
	const struct service *s = a->service;
	const char *proxy = postconf_value(&p->conf, s, "smtpd_proxy_filter");

	if (postconf_has(postconf_value(&p->conf, s,
					"receive_override_options"),
			 "no_milters")) {
		postfix_fail(p, LISTENER, EX_CONFIG,
			     remedy_milters(p, s),
			     "%s has no_milters: nobody is asked", s->id);
		return false;
	}
	if (*proxy != '\0') {
		postfix_fail(p, LISTENER, EX_CONFIG, "use content_filter, or "
			     "ask the milter on the listener behind it",
			     "%s hands mail to smtpd_proxy_filter %s: the "
			     "milter gets envelopes alone", s->id,
			     text_show(proxy));
		return false;
	}
	return true;
}

/* A listener that asks us, or means to. True: all is well with it. */
static bool
check_entry(struct postfix *p, const struct asked *a)
{
	const char *id = a->service->id;
	bool well = check_way(p, a);

	p->chroot = p->chroot || a->service->chroot;
	if (a->astray_n > 0) {
		tell_astray(p, a);
		return false;
	}
	if (a->ours_n > 1) {
		postfix_fail(p, LISTENER, EX_CONFIG, remedy_ask(p, a),
			     "%s asks the milter %zu times", id, a->ours_n);
		return false;
	}
	if (!a->last) {
		postfix_fail(p, LISTENER, EX_CONFIG, remedy_ask(p, a),
			     "%s asks %s behind the milter, so that rules do "
			     "not see what it adds: the milter comes last", id,
			     text_show(a->entries[a->n - 1].endpoint));
		well = false;
	}
	/* Both, so that all mistakes are told. */
	well = check_action(p, a) && well;
	return check_protocol(p, a) && well;
}

static void
tell_well(struct postfix *p, const struct asked *a, const char *whose)
{
	char last[64] = "";

	if (a->n > 1)
		snprintf(last, sizeof(last), ", last of %zu", a->n);
	postfix_ok(p, LISTENER, "%s asks %s%s%s", a->service->id,
		   text_show(a->first->endpoint), last, whose);
}

static void
check_strangers(struct postfix *p, const struct asked *a, bool must)
{
	p->strangers += must || a->first != NULL;
	if (a->first == NULL && must)
		postfix_fail(p, LISTENER, EX_CONFIG, remedy_ask(p, a),
			     "%s takes mail from outside and does not ask the "
			     "milter", a->service->id);
	else if (a->first == NULL)
		postfix_ok(p, LISTENER, "%s does not ask the milter",
			   a->service->id);
	else if (check_entry(p, a))
		tell_well(p, a, "");
	if (a->first != NULL)
		check_maps(p, a->service);
}

static void
check_users(struct postfix *p, const struct asked *a)
{
	if (a->first == NULL)
		postfix_ok(p, LISTENER, "%s does not ask the milter: what "
			   "users send is not judged", a->service->id);
	else if (check_entry(p, a))
		tell_well(p, a, "; what users send is of the ingress point "
			  "\"submission\"");
}

/* The first content_filter there is; "" for none. */
static const char *
content_filter(const struct postfix *p)
{
	const char *found = postconf_value(&p->conf, NULL, "content_filter");

	for (size_t i = 0; *found == '\0' && i < p->conf.services_n; i++)
		if (strcmp(p->conf.services[i].command, "smtpd") == 0)
			found = postconf_value(&p->conf, &p->conf.services[i],
					       "content_filter");
	return found;
}

static void
check_local(struct postfix *p, const struct asked *a)
{
	const struct service *s = a->service;
	const char *filter = content_filter(p);

	if (a->first == NULL ||
	    postconf_has(postconf_value(&p->conf, s,
					"receive_override_options"),
			 "no_milters"))
		postfix_ok(p, LISTENER, "%s does not ask the milter", s->id);
	else if (*filter != '\0')
		postfix_fail(p, LISTENER, EX_CONFIG,
			     remedy_no_milters(p, s),
			     "%s takes mail back from the content_filter %s, "
			     "and asks the milter a second time", s->id,
			     text_show(filter));
	else if (check_entry(p, a))
		tell_well(p, a, "; mail of this machine");
}

static void
check_listener(struct postfix *p, const struct service *s)
{
	const struct asked a = postfix_asked(p, s, "smtpd_milters");

	switch (listener_of(p, s)) {
	case LISTENER_USERS:
		check_users(p, &a);
		break;
	case LISTENER_LOCAL:
		check_local(p, &a);
		break;
	case LISTENER_STRANGERS:
		check_strangers(p, &a, true);
		break;
	case LISTENER_OTHER:
		check_strangers(p, &a, false);
		break;
	}
}

static void
check_all(struct postfix *p)
{
	const char *soft = postconf_value(&p->conf, NULL, "soft_bounce");

	postfix_ok(p, "postfix", "version %s, %s",
		   text_show(postconf_value(&p->conf, NULL, "mail_version")),
		   text_show(postconf_value(&p->conf, NULL,
					    "config_directory")));
	if (p->conf.complaint != NULL)
		postfix_warn(p, "postfix", "look at the named line", "%s",
			     p->conf.complaint);
	if (strcasecmp(soft, "yes") == 0)
		postfix_warn(p, "postfix", remedy_main(p, "soft_bounce", "no"),
			     "soft_bounce makes a refusal one for now (4xx)");
	check_recipients(p);
	for (size_t i = 0; i < p->conf.services_n; i++)
		if (strcmp(p->conf.services[i].command, "smtpd") == 0)
			check_listener(p, &p->conf.services[i]);
	if (p->strangers == 0)
		postfix_warn(p, LISTENER, "add smtp/inet to master.cf",
			     "no smtpd takes mail from outside");
	check_sendmail(p);
	check_socket(p);
}

int
postfix_check(const struct postfix_options *o)
{
	struct postfix p = { .options = o };
	struct err e;
	int ret;

	if (strncasecmp(o->socket, "unix:", 5) == 0)
		p.path = o->socket + 5;
	else if (strncasecmp(o->socket, "inet:", 5) == 0)
		p.inet = o->socket;
	else
		p.path = SOCKET_DEFAULT;
	ret = postconf_read(&p.conf, o->dir, &e);
	if (ret < 0)
		postfix_fail(&p, "postfix", EX_CONFIG, "mend that first", "%s",
			     e.text);
	else if (ret == 0)
		postfix_ok(&p, "postfix", "not looked at: there is no "
			   "postconf");
	else
		check_all(&p);
	postconf_free(&p.conf);
	arena_free(&p.arena);
	return p.worst;
}
