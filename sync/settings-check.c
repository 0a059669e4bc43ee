#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "recipients.h"
#include "settings-private.h"

#define HOME "{home}"
#define USER "{user}"

static const char expected_maildir[] =
	"an absolute directory without \"..\", or {home}/...";

/* A line of the configuration on its way through the checks. */
struct line {
	struct route *route;
	const struct source_settings *source;
	const char *path;	/* in the document */
};

struct check {
	const struct settings *settings;
	struct arena *arena;
	struct config_mistakes *m;
};

const char *
settings_clean_path(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 1);
	size_t at = 0;

	if (strncmp(path, HOME, strlen(HOME)) == 0 &&
	    (path[strlen(HOME)] == '/' || path[strlen(HOME)] == '\0')) {
		at = strlen(HOME);
		memcpy(out, path, at);
		path += at;
	} else if (*path != '/') {
		return NULL;
	}
	while (*path != '\0') {
		size_t n = strcspn(path += strspn(path, "/"), "/");

		if (n == 2 && memcmp(path, "..", 2) == 0)
			return NULL;
		if (n > 0 && !(n == 1 && *path == '.')) {
			out[at++] = '/';
			memcpy(out + at, path, n);
			at += n;
		}
		path += n;
	}
	if (at == 0)
		out[at] = '/';
	return out;
}

bool
settings_path_inside(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	if (strcmp(outer, "/") == 0)
		return true;
	return strncmp(inner, outer, n) == 0 &&
	       (inner[n] == '/' || inner[n] == '\0');
}

bool
settings_owner_ok(const char *owner)
{
	const char *p = owner;
	size_t digits = strspn(p, "0123456789"), more;

	if (digits == 0)
		return *p != '-' && *p != '\0' && strlen(p) < USER_MAX &&
		       strpbrk(p, ":/ \t\r\n{}") == NULL &&
		       strcmp(p, "root") != 0;
	p += digits;
	if (*p != ':' || digits > 10 || strtoull(owner, NULL, 10) == 0 ||
	    strtoull(owner, NULL, 10) >= UINT32_MAX)
		return false;
	more = strspn(++p, "0123456789");
	return more > 0 && more <= 10 && p[more] == '\0' &&
	       strtoull(p, NULL, 10) < UINT32_MAX;
}

static void
mistake(struct check *c, const struct line *l, const char *key,
	const char *found, const char *expected)
{
	const char *path = l->path;

	if (*key != '\0')
		path = arena_printf(c->arena, "%s.%s", path, key);
	config_mistake(c->m, path, found, "%s", expected);
}

/*
 * {user} at most once, and as a whole segment between begin (or a slash) and
 * a slash (or end); no other braces. Sets *template_r.
 */
static bool
placeholder_ok(const char *s, const char *end, bool *template_r)
{
	const char *user = strstr(s, USER), *brace = strpbrk(s, "{}");

	*template_r = user != NULL;
	if (user == NULL)
		return brace == NULL;
	if (brace != user || strpbrk(user + strlen(USER), "{}") != NULL)
		return false;
	if (user != s && user[-1] != '/')
		return false;
	user += strlen(USER);
	return *user == '\0' || strchr(end, *user) != NULL;
}

static bool
address_ok(const char *s)
{
	const char *sign = strchr(s, '@');

	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"\\<>()[],:;", *p))
			return false;
	return sign != NULL && sign != s && sign[1] != '\0' &&
	       strchr(sign + 1, '@') == NULL;
}

static void
check_pattern(struct check *c, struct line *l)
{
	struct route *r = l->route;
	const char *s;
	size_t n;

	if (r->maildir == NULL && r->prefix == NULL && r->recipient == NULL)
		return;		/* no object at all, and said so */
	if ((r->prefix == NULL) == (r->recipient == NULL)) {
		mistake(c, l, "", r->prefix ? "prefix and recipient" : NULL,
			"either prefix or recipient");
	} else if ((s = r->prefix) != NULL) {
		n = strlen(s);
		if (l->source->authority != AUTHORITY_MAILBOX)
			mistake(c, l, "prefix", s, "recipient (the source has "
				"\"recipients\": \"received\")");
		if ((n > 0 && s[n - 1] != '/') || *s == '/')
			mistake(c, l, "prefix", s, "\"\", or a prefix with a "
				"slash at its end and none at its begin");
		else if (!placeholder_ok(s, "/", &r->template))
			mistake(c, l, "prefix", s,
				"{user} once, as a whole path segment");
	} else {
		s = r->recipient;
		if (l->source->authority != AUTHORITY_RECEIVED)
			mistake(c, l, "recipient", s, "prefix (or "
				"\"recipients\": \"received\" in the source)");
		if (!address_ok(s))
			mistake(c, l, "recipient", s, "local@domain");
		else if (!placeholder_ok(s, "@", &r->template) ||
			 (r->template && strncmp(s, USER, strlen(USER)) != 0))
			mistake(c, l, "recipient", s,
				"{user} once, as the whole local part");
	}
}

/* A Maildir in a source would be imported into itself. */
static bool
overlaps(const struct settings *s, const char *maildir)
{
	for (size_t i = 0; i < s->sources_n; i++) {
		const char *path = s->sources[i].path;

		if (path != NULL && (settings_path_inside(maildir, path) ||
				     settings_path_inside(path, maildir)))
			return true;
	}
	return false;
}

static void
check_maildir(struct check *c, struct line *l)
{
	struct route *r = l->route;
	const char *s = settings_clean_path(c->arena, r->maildir), *rest;
	bool home, user;

	if (s == NULL || strcmp(s, "/") == 0 || strcmp(s, HOME) == 0) {
		mistake(c, l, "maildir", r->maildir, expected_maildir);
		return;
	}
	r->maildir = s;
	home = *s == '{';
	rest = home ? s + strlen(HOME) : s;
	if (!placeholder_ok(rest, "/", &user))
		mistake(c, l, "maildir", s, "no braces but {home} in front and "
			"{user} once, as a whole path segment");
	else if (user && !r->template)
		mistake(c, l, "maildir", s,
			"no {user}, since there is none in the pattern");
	else if (home && !r->template && r->owner == NULL)
		mistake(c, l, "maildir", s, "an owner whose home it is");
	else if (home && r->owner != NULL && strchr(r->owner, ':'))
		mistake(c, l, "owner", r->owner, "a user with a home");
	else if (r->template && !home && !user)
		mistake(c, l, "maildir", s, "{home} or {user} in it: each user "
			"has a Maildir");
	else if (!home && overlaps(c->settings, s))
		mistake(c, l, "maildir", s, "a directory apart from each "
			"source");
}

static void
check_line(struct check *c, struct line *l)
{
	if (l->route != l->source->catch_all)
		check_pattern(c, l);
	if (l->route->owner != NULL && !settings_owner_ok(l->route->owner)) {
		mistake(c, l, "owner", l->route->owner,
			"a user name or uid:gid, not root");
		l->route->owner = NULL;
	}
	if (l->route->maildir != NULL)
		check_maildir(c, l);
}

static int
compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* By source and pattern; addresses are equal whatever their case. */
static int
by_pattern(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;
	int d;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	d = compare_text(a->route->prefix, b->route->prefix);
	if (d == 0 && a->route->recipient && b->route->recipient)
		d = strcasecmp(a->route->recipient, b->route->recipient);
	if (d == 0 && !a->route->recipient != !b->route->recipient)
		d = a->route->recipient ? 1 : -1;
	return d ? d : (a->route > b->route) - (a->route < b->route);
}

static int
by_place(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;
	int d = compare_text(a->route->maildir, b->route->maildir);

	if (d == 0)
		d = compare_text(a->route->owner, b->route->owner);
	if (d == 0 && a->source != b->source)
		d = a->source < b->source ? -1 : 1;
	return d ? d : (a->route > b->route) - (a->route < b->route);
}

static bool
same_pattern(const struct line *a, const struct line *b)
{
	const struct route *x = a->route, *y = b->route;

	if (a->source != b->source)
		return false;
	if (x->prefix != NULL && y->prefix != NULL)
		return strcmp(x->prefix, y->prefix) == 0;
	return x->recipient != NULL && y->recipient != NULL &&
	       strcasecmp(x->recipient, y->recipient) == 0;
}

static void
check_pairs(struct check *c, struct line *lines, size_t n)
{
	qsort(lines, n, sizeof(*lines), by_pattern);
	for (size_t i = 1; i < n; i++) {
		const struct route *r = lines[i].route;

		if (same_pattern(&lines[i - 1], &lines[i]))
			config_mistake(c->m, lines[i].path,
				       r->prefix ? r->prefix : r->recipient,
				       "another pattern than in %s",
				       lines[i - 1].path);
	}
	qsort(lines, n, sizeof(*lines), by_place);
	for (size_t i = 1; i < n; i++) {
		const struct route *a = lines[i - 1].route, *b = lines[i].route;

		/* {home} is another directory for each owner. */
		if (a->maildir == NULL || b->maildir == NULL ||
		    *a->maildir == '{' || a->owner == NULL ||
		    b->owner == NULL || strcmp(a->maildir, b->maildir) != 0 ||
		    strcmp(a->owner, b->owner) == 0)
			continue;
		config_mistake(c->m, lines[i].path, b->owner, "owner %s as in "
			       "%s: the Maildir is the same",
			       text_show(a->owner), lines[i - 1].path);
	}
}

static void
check_url(struct check *c, struct source_settings *src, const char *path)
{
	const char *expected, *url = src->url;

	if (url == NULL)
		return;
	path = arena_printf(c->arena, "%s.url", path);
	if (settings_take_url(c->arena, src, &expected) < 0) {
		config_mistake(c->m, path, url, "%s", expected);
	} else if (src->path != NULL && url[strlen(url) - 1] != '/') {
		src->path = NULL;
		config_mistake(c->m, path, url, "%s/ (a final slash)",
			       text_show(url));
	} else if (src->path != NULL && src->aws != NULL) {
		config_mistake(c->m, path, url, "s3://BUCKET/PREFIX/ (the "
			       "source has \"aws\")");
	}
}

/* What goes with s3:// and nothing else, and the other way round. */
static void
check_s3(struct check *c, struct source_settings *src, const char *path)
{
	struct err e;

	if (src->settle > 0 && src->bucket != NULL) {
		config_mistake(c->m, arena_printf(c->arena, "%s.settle", path),
			       arena_printf(c->arena, "%d", src->settle),
			       "nothing (an object in S3 is whole as soon as "
			       "it is there)");
	}
	if (src->settle < 0)
		src->settle = src->bucket ? 0 : SETTLE_DEFAULT;
	if (src->aws != NULL && settings_check_aws(src->aws, &e) < 0) {
		c->m->n++;
		buf_printf(c->m->lines, "%s: %s.aws: %s\n", c->m->file, path,
			   e.text);
	}
	if (src->aws == NULL && src->bucket != NULL)
		src->aws = settings_new_aws(c->arena);
}

static void
check_source(struct check *c, struct source_settings *src, const char *path)
{
	check_url(c, src, path);
	check_s3(c, src, path);
	if (src->authority == AUTHORITY_NOTIFICATION)
		config_mistake(c->m, arena_printf(c->arena, "%s.recipients",
						  path),
			       "notification", "mailbox or received (it needs "
			       "SQS notifications, which this version does "
			       "not have)");
	if (src->routes_n == 0 && src->catch_all == NULL)
		config_mistake(c->m, path, NULL, "mailboxes or catch_all");
}

/* An object in two sources would be two objects. */
static void
check_apart(struct check *c, const struct source_settings *a, size_t k,
	    const char *path)
{
	const struct source_settings *b = &c->settings->sources[k];

	if (a->path && b->path && (settings_path_inside(a->path, b->path) ||
				   settings_path_inside(b->path, a->path)))
		config_mistake(c->m, path, a->url, "a directory apart from "
			       "sources[%zu]", k);
	if (a->bucket && b->bucket && strcmp(a->bucket, b->bucket) == 0 &&
	    compare_text(a->aws->endpoint_url, b->aws->endpoint_url) == 0 &&
	    (strncmp(a->prefix, b->prefix, strlen(b->prefix)) == 0 ||
	     strncmp(b->prefix, a->prefix, strlen(a->prefix)) == 0))
		config_mistake(c->m, path, a->url, "a prefix apart from "
			       "sources[%zu]", k);
}

/* catch_all moves behind the lines, so that one index names any of them. */
static void
place_catch_all(struct check *c, struct source_settings *src)
{
	if (src->catch_all == NULL)
		return;
	if (src->routes == NULL)
		src->routes = arena_alloc(c->arena, sizeof(*src->routes));
	src->routes[src->routes_n] = *src->catch_all;
	src->catch_all = &src->routes[src->routes_n];
}

static size_t
collect(struct check *c, struct settings *s, struct line *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < s->sources_n; i++) {
		struct source_settings *src = &s->sources[i];
		const char *path = arena_printf(c->arena, "sources[%zu]", i);

		check_source(c, src, path);
		place_catch_all(c, src);
		for (size_t j = 0; j < src->routes_n; j++)
			lines[n++] = (struct line){ &src->routes[j], src,
				arena_printf(c->arena, "%s.mailboxes[%zu]",
					     path, j) };
		if (src->catch_all != NULL)
			lines[n++] = (struct line){ src->catch_all, src,
				arena_printf(c->arena, "%s.catch_all", path) };
		for (size_t k = 0; k < i; k++)
			check_apart(c, src, k, path);
	}
	return n;
}

void
settings_check(struct settings *s, struct config_mistakes *m)
{
	struct check c = { s, &s->arena, m };
	struct line *lines;
	size_t n = 0;

	if (s->state_dir != NULL) {
		const char *dir = settings_clean_path(&s->arena, s->state_dir);

		if (dir == NULL || *dir == '{')
			config_mistake(m, "state_dir", s->state_dir,
				       "an absolute directory without \"..\"");
		else
			s->state_dir = dir;
	}
	if (s->engine_user == NULL || !settings_owner_ok(s->engine_user) ||
	    strchr(s->engine_user, ':') != NULL)
		config_mistake(m, "engine_user", s->engine_user,
			       "a user name, not root");
	for (size_t i = 0; i < s->sources_n; i++)
		n += s->sources[i].routes_n + 1;
	lines = arena_alloc(&s->arena, (n + 1) * sizeof(*lines));
	n = collect(&c, s, lines);
	for (size_t i = 0; i < n; i++)
		check_line(&c, &lines[i]);
	check_pairs(&c, lines, n);
}
