#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "recipients.h"

#define HOME "{home}"
#define USER "{user}"
#define DAY 86400	/* seconds */

/* How good a line fits; a greater one wins, field by field. */
struct fit {
	size_t lead;		/* bytes in front of {user}, or all */
	bool template;
	size_t total;		/* bytes apart from {user} */
};

static bool
user_ok(const char *s, size_t n)
{
	if (n == 0 || n >= USER_MAX || *s == '-' || *s == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') &&
		    !(s[i] >= '0' && s[i] <= '9') &&
		    memchr("._-", s[i], 3) == NULL)
			return false;
	return true;
}

static bool
starts_with(const char *s, const char *start, size_t n)
{
	return strncmp(s, start, n) == 0;
}

/* user gets what {user} stands for; it has USER_MAX bytes. */
static bool
match_prefix(const struct route *r, const char *key, char *user,
	     struct fit *fit_r)
{
	const char *hole = r->template ? strstr(r->prefix, USER) : NULL;
	size_t total = strlen(r->prefix), n;

	user[0] = '\0';
	if (hole == NULL) {
		*fit_r = (struct fit){ total, false, total };
		return starts_with(key, r->prefix, total);
	}
	*fit_r = (struct fit){ (size_t)(hole - r->prefix), true,
			       total - strlen(USER) };
	if (!starts_with(key, r->prefix, fit_r->lead))
		return false;
	key += fit_r->lead;
	n = strcspn(key, "/");
	hole += strlen(USER);
	if (!user_ok(key, n) || !starts_with(key + n, hole, strlen(hole)))
		return false;
	memcpy(user, key, n);
	user[n] = '\0';
	return true;
}

static bool
fits_better(const struct fit *a, const struct fit *b)
{
	if (a->lead != b->lead)
		return a->lead > b->lead;
	if (a->template != b->template)
		return a->template;
	return a->total > b->total;
}

static bool
route_key(const struct source_settings *s, const char *key, struct target *t)
{
	struct fit best = { 0 }, fit;
	char user[USER_MAX];
	bool found = false;

	for (size_t i = 0; i < s->routes_n; i++) {
		const struct route *r = &s->routes[i];

		if (r->prefix == NULL || !match_prefix(r, key, user, &fit) ||
		    (found && !fits_better(&fit, &best)))
			continue;
		found = true;
		best = fit;
		t->route = i;
		memcpy(t->user, user, sizeof(user));
	}
	return found;
}

/* Worst first. */
enum likeness { OTHER, TEMPLATE, WITHOUT_LABEL, SAME };

static enum likeness
match_recipient(const struct route *r, const char *recipient, char *user)
{
	const char *domain = strchr(recipient, '@');
	const char *domain_here = strchr(r->recipient, '@');
	size_t n = strcspn(recipient, "+@"), here;

	user[0] = '\0';
	if (domain == NULL || domain_here == NULL ||
	    strcasecmp(domain, domain_here) != 0)
		return OTHER;
	if (!r->template && strcasecmp(recipient, r->recipient) == 0)
		return SAME;
	here = (size_t)(domain_here - r->recipient);
	if (!r->template)
		return here == n && strncasecmp(recipient, r->recipient, n) == 0
			? WITHOUT_LABEL : OTHER;
	if (n >= USER_MAX)
		return OTHER;
	for (size_t i = 0; i < n; i++) {
		char c = recipient[i];

		user[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	user[n] = '\0';
	return user_ok(user, n) ? TEMPLATE : OTHER;
}

static bool
route_recipient(const struct source_settings *s, const char *recipient,
		struct target *t)
{
	enum likeness best = OTHER;
	char user[USER_MAX];

	for (size_t i = 0; i < s->routes_n; i++) {
		const struct route *r = &s->routes[i];
		enum likeness like;

		if (r->recipient == NULL)
			continue;
		like = match_recipient(r, recipient, user);
		if (like <= best)
			continue;
		best = like;
		t->route = i;
		memcpy(t->user, user, sizeof(user));
	}
	return best != OTHER;
}

void
recipients_route(const struct source_settings *s, const char *key,
		 const char *recipient, struct targets *t_r)
{
	bool by_key = s->authority == AUTHORITY_MAILBOX;
	bool found;

	memset(t_r, 0, sizeof(*t_r));
	if (by_key)
		found = route_key(s, key, &t_r->list[0]);
	else
		found = recipient != NULL &&
			route_recipient(s, recipient, &t_r->list[0]);
	t_r->n = found;
	if (s->catch_all != NULL && !(by_key && found))
		t_r->list[t_r->n++].route = s->routes_n;
	t_r->keep = !by_key && s->catch_all == NULL;
}

/* NULL for a target that no routing of these settings could have made. */
static const struct route *
route_of(const struct source_settings *s, const struct target *t)
{
	const struct route *r;

	if (t->route > s->routes_n ||
	    (t->route == s->routes_n && s->catch_all == NULL))
		return NULL;
	r = &s->routes[t->route];
	if (!r->template)
		return t->user[0] == '\0' ? r : NULL;
	return user_ok(t->user, strnlen(t->user, USER_MAX)) ? r : NULL;
}

static int
find_user(const char *name, struct passwd **pw_r, struct err *e)
{
	errno = 0;
	*pw_r = getpwnam(name);
	if (*pw_r != NULL)
		return 0;
	if (errno == 0 || errno == ENOENT || errno == ESRCH)
		return err_set(e, ERR_PERM, "cannot find user %s: no such user",
			       text_show(name));
	return err_errno(e, "cannot find user %s", text_show(name));
}

/* A line names its owner: one who is missing is a mistake to be mended, and no
 * stranger's choice as with {user}. */
static int
find_owner(const char *name, struct passwd **pw_r, struct err *e)
{
	if (find_user(name, pw_r, e) == 0)
		return 0;
	e->kind = ERR_TEMP;
	return -1;
}

/* The passwd entry of a {user}, in static memory. */
static int
find_template_user(const char *name, struct passwd **pw_r, struct err *e)
{
	if (find_user(name, pw_r, e) < 0)
		return -1;
	if ((*pw_r)->pw_uid < UID_FIRST_USER)
		return err_set(e, ERR_PERM, "cannot deliver to user %s: uid %u "
			       "is below %d", text_show(name), (*pw_r)->pw_uid,
			       UID_FIRST_USER);
	return 0;
}

/* Fills {home} and {user}; home is NULL when the line has none. */
static int
fill_maildir(const char *maildir, const char *home, const char *user,
	     char *out, struct err *e)
{
	size_t stem = home ? strlen(home) : 0;
	const char *hole;
	int n;

	if (home == NULL)
		home = "";
	else
		maildir += strlen(HOME);
	while (stem > 0 && home[stem - 1] == '/')
		stem--;
	hole = *user != '\0' ? strstr(maildir, USER) : NULL;
	if (hole == NULL)
		n = snprintf(out, MAILDIR_SIZE, "%.*s%s", (int)stem, home,
			     maildir);
	else
		n = snprintf(out, MAILDIR_SIZE, "%.*s%.*s%s%s", (int)stem,
			     home, (int)(hole - maildir), maildir, user,
			     hole + strlen(USER));
	if (n < 0 || n >= MAILDIR_SIZE)
		return err_set(e, ERR_TEMP, "cannot deliver to %s: name too "
			       "long", text_show(maildir));
	return 0;
}

int
recipients_maildir(const struct source_settings *s, const struct target *t,
		   char *out, struct err *e)
{
	const struct route *r = route_of(s, t);
	const char *home = NULL;
	struct passwd *pw = NULL;

	if (r == NULL)
		return err_set(e, ERR_TEMP,
			       "cannot deliver: no such line of the settings");
	if (r->template && find_template_user(t->user, &pw, e) < 0)
		return -1;
	if (starts_with(r->maildir, HOME, strlen(HOME))) {
		if (pw == NULL && find_owner(r->owner, &pw, e) < 0)
			return -1;
		home = pw->pw_dir;
		if (*home != '/')
			return err_set(e, ERR_TEMP, "cannot deliver to user "
				       "%s: no home directory",
				       text_show(pw->pw_name));
	}
	return fill_maildir(r->maildir, home, t->user, out, e);
}

/* An account that was closed for good (usermod -e) takes no mail. */
static int
check_expiry(const char *name, struct err *e)
{
	const struct spwd *sp = getspnam(name);

	if (sp != NULL && sp->sp_expire > 0 &&
	    sp->sp_expire <= clock_wall() / DAY)
		return err_set(e, ERR_TEMP, "cannot deliver as %s: the account "
			       "has expired", text_show(name));
	return 0;
}

static int
take_user(const struct passwd *pw, struct place *p, struct err *e)
{
	if (strlen(pw->pw_name) >= sizeof(p->name))
		return err_set(e, ERR_TEMP, "cannot deliver as %s: name too "
			       "long", text_show(pw->pw_name));
	memcpy(p->name, pw->pw_name, strlen(pw->pw_name) + 1);
	p->uid = pw->pw_uid;
	p->gid = pw->pw_gid;
	return check_expiry(p->name, e);
}

static int
take_named(const char *owner, struct place *p, struct err *e)
{
	const char *colon = strchr(owner, ':');
	struct passwd *pw;

	if (colon != NULL) {
		p->uid = (uid_t)strtoul(owner, NULL, 10);
		p->gid = (gid_t)strtoul(colon + 1, NULL, 10);
		return 0;
	}
	return find_owner(owner, &pw, e) < 0 ? -1 : take_user(pw, p, e);
}

/*
 * Opens a directory without following any symbolic link: a user who can put
 * one into the path must not choose whose mailbox it leads to.
 */
static int
open_straight(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* Who owns the Maildir (a link itself, if it is one), or the directory that it
 * would be made in. */
static int
stat_maildir(const char *maildir, struct stat *st_r)
{
	char parent[MAILDIR_SIZE];
	char *slash;
	int dir, r;

	memcpy(parent, maildir, sizeof(parent));
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	dir = open_straight(parent);
	if (dir < 0)
		return -1;
	r = fstatat(dir, strrchr(maildir, '/') + 1, st_r, AT_SYMLINK_NOFOLLOW);
	if (r < 0 && errno == ENOENT)
		r = fstat(dir, st_r);
	close(dir);
	return r;
}

static int
take_derived(struct place *p, struct err *e)
{
	const struct passwd *pw;
	struct stat st;

	if (geteuid() != 0) {	/* only root can work for others */
		p->uid = geteuid();
		p->gid = getegid();
		return 0;
	}
	if (stat_maildir(p->maildir, &st) < 0)
		return errno == ELOOP
		     ? err_set(e, ERR_TEMP, "cannot find the owner of %s: a "
			       "symbolic link is in the way; name the owner "
			       "with \"owner\" or --owner",
			       text_show(p->maildir))
		     : err_errno(e, "cannot find the owner of %s",
				 text_show(p->maildir));
	pw = getpwuid(st.st_uid);
	if (pw != NULL)
		return take_user(pw, p, e);
	p->uid = st.st_uid;
	p->gid = st.st_gid;
	return 0;
}

int
recipients_place(const struct source_settings *s, const struct target *t,
		 struct place *p_r, struct err *e)
{
	const struct route *r;
	struct passwd *pw;
	int ret;

	memset(p_r, 0, sizeof(*p_r));
	if (recipients_maildir(s, t, p_r->maildir, e) < 0)
		return -1;
	r = route_of(s, t);
	if (r->owner != NULL)
		ret = take_named(r->owner, p_r, e);
	else if (!r->template)
		ret = take_derived(p_r, e);
	else if ((ret = find_template_user(t->user, &pw, e)) == 0)
		ret = take_user(pw, p_r, e);
	if (ret < 0)
		return -1;
	if (p_r->uid == 0)
		return err_set(e, ERR_TEMP, "cannot deliver to %s: its owner "
			       "is root; name one with \"owner\" or --owner",
			       text_show(p_r->maildir));
	if (p_r->gid == 0)
		return err_set(e, ERR_TEMP, "cannot deliver to %s: its owner's "
			       "group is root's", text_show(p_r->maildir));
	if (p_r->uid < UID_FIRST_OWNER && p_r->uid != getuid())
		return err_set(e, ERR_TEMP, "cannot deliver to %s: its owner "
			       "has uid %u, below %d", text_show(p_r->maildir),
			       p_r->uid, UID_FIRST_OWNER);
	return 0;
}
