/*
 * recipients - from an object to its Maildirs, and from a route to its owner.
 *
 * recipients_route() is pure. recipients_maildir() asks the passwd database,
 * recipients_place() also stats the Maildir: the spawner needs the owner, the
 * engine only the name (it may not look into other people's homes). Each
 * resolves for itself, since the spawner believes nothing that the engine says.
 */
#ifndef FALLBACKMX_RECIPIENTS_H
#define FALLBACKMX_RECIPIENTS_H

#include <sys/types.h>

#include "settings.h"

#define TARGETS_MAX 2	/* of one object: its mailbox and the catch_all */
#define USER_MAX 64	/* bytes of a {user}, NUL included */
#define MAILDIR_SIZE 4096	/* bytes of a Maildir's name, NUL included */

#define UID_FIRST_USER 1000	/* of a {user} */
#define UID_FIRST_OWNER 100	/* of a named or derived owner */

struct target {
	size_t route;		/* index; routes_n = catch_all */
	char user[USER_MAX];	/* what {user} stands for; "" if no template */
};

struct targets {
	struct target list[TARGETS_MAX];
	size_t n;
	bool keep;	/* all copies made are not enough to delete it */
};

/*
 * Which routes take the object: by key for AUTHORITY_MAILBOX, by recipient
 * (the for clause of SES; NULL or "" if unknown) for AUTHORITY_RECEIVED.
 *
 * Of several matching lines one wins, the most specific. Prefixes: the longest
 * text in front of {user} (all of a line without one) first, at equal length
 * the template (the line without contains it), then the longest text in all.
 * Recipients: the whole address, then the address without its "+label", then
 * {user} (also without label, lower case). Addresses are compared without
 * ASCII case, keys byte by byte. A {user} is [a-z0-9._-], not beginning with
 * "-" or "."; what is none does not match.
 * AUTHORITY_MAILBOX: that line, else catch_all. AUTHORITY_RECEIVED: that line
 * and catch_all; without a catch_all keep is set. n = 0: no home.
 */
void recipients_route(const struct source_settings *s, const char *key,
		      const char *recipient, struct targets *t_r);

struct place {
	char maildir[MAILDIR_SIZE];	/* absolute */
	char name[USER_MAX];	/* for initgroups(3); "" = numeric owner */
	uid_t uid;
	gid_t gid;
};

/*
 * The absolute Maildir of target t of s, with {home} and {user} filled in; out
 * has MAILDIR_SIZE bytes. Believes nothing of t. ERR_PERM: {user} is no user
 * who gets mail (none, or uid < 1000); ERR_TEMP: all else.
 */
int recipients_maildir(const struct source_settings *s, const struct target *t,
		       char *out, struct err *e);

/*
 * The same and the owner: the owner of the line, else the {user}, else who owns
 * the Maildir (if it is missing, the directory it would be made in); without
 * root, who can work for others, that last one is ourselves. Refuses
 * uid 0, uid < 100 (but our own), for {user} uid < 1000, an expired account
 * (when the shadow database may be read), group 0, a symbolic link on the way
 * to a Maildir whose owner is derived. Errors as recipients_maildir().
 */
int recipients_place(const struct source_settings *s, const struct target *t,
		     struct place *p_r, struct err *e);

#endif
