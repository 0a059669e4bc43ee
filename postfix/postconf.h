/*
 * postconf - what a Postfix is told to do, as postconf(1) prints it: some
 * parameters of main.cf, and the services of master.cf with their own.
 *
 * postconf is run as ourselves, without a shell, with an environment of its
 * own; its output and its time are bounded. Nothing is changed. Postfix 3.0 or
 * newer. Not for threads.
 */
#ifndef FALLBACKMX_POSTFIX_POSTCONF_H
#define FALLBACKMX_POSTFIX_POSTCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct setting {
	const char *name;
	const char *value;	/* with $names put in */
	const char *raw;	/* as written; of main.cf the same */
};

struct service {
	const char *id;		/* "smtp/inet", "127.0.0.1:10025/inet" */
	const char *name, *type, *command;	/* command: first word only */
	bool chroot;
	struct setting *settings;	/* -o of this service */
	size_t settings_n;
};

struct postconf {
	const char *dir;	/* as given; NULL: Postfix's own */
	struct setting *settings;	/* of main.cf and defaults */
	size_t settings_n;
	struct service *services;
	size_t services_n;
	const char *complaint;	/* postconf's own first warning, foreign bytes;
				 * NULL: none */
	struct arena arena;
};

/*
 * Asks for all of it. dir: the configuration directory; NULL for the default.
 * Returns 1, or 0 when no postconf is installed; -1 when it does not answer
 * as it should (EX_CONFIG). postconf_free() in any case.
 */
int postconf_read(struct postconf *c, const char *dir, struct err *e);
void postconf_free(struct postconf *c);

/* The value that counts for a service (NULL: main.cf), "" if there is none.
 * Parameters that postconf_read() does not ask for are "" in main.cf. */
const char *postconf_value(const struct postconf *c, const struct service *s,
			   const char *name);

/* What the service itself says, as written; NULL: nothing. */
const char *postconf_own(const struct service *s, const char *name);

/* Whether value, a list, has the word; case is ignored. */
bool postconf_has(const char *value, const char *word);

#endif
