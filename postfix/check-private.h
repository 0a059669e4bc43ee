/*
 * check-private - what check.c (listeners), check-maps.c (by client),
 * check-cleanup.c, check-remedy.c (lines to paste) and check-socket.c share.
 */
#ifndef FALLBACKMX_POSTFIX_CHECK_PRIVATE_H
#define FALLBACKMX_POSTFIX_CHECK_PRIVATE_H

#include "check.h"
#include "milterlist.h"

enum entry_kind {
	ENTRY_OTHER,
	ENTRY_OURS,
	ENTRY_ASTRAY,	/* it means us, and leads elsewhere */
};

/* The list that counts for a service. */
struct asked {
	const struct service *service;	/* NULL: main.cf */
	const char *parameter;		/* smtpd_milters, non_smtpd_milters */
	struct milter_entry *entries;
	enum entry_kind *kinds;
	size_t n;
	size_t ours_n, astray_n;
	const struct milter_entry *first;	/* of ours, or astray; NULL */
	bool last;			/* nothing stands behind the first */
};

struct postfix {
	const struct postfix_options *options;
	struct postconf conf;
	struct arena arena;
	const char *path;	/* our socket, absolute; NULL: see inet */
	const char *inet;	/* our "inet:HOST:PORT"; NULL: see path */
	bool chroot;		/* of a service that asks us */
	size_t strangers;	/* listeners for mail from outside */
	int worst;
};

void postfix_ok(struct postfix *p, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void postfix_warn(struct postfix *p, const char *name, const char *remedy,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void postfix_fail(struct postfix *p, const char *name, int code,
		  const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* A list as if it were the parameter's. */
struct asked postfix_asked_in(struct postfix *p, const struct service *s,
			      const char *parameter, const char *list);

/* The list of a parameter for a service (NULL: main.cf). */
struct asked postfix_asked(struct postfix *p, const struct service *s,
			   const char *parameter);

/* Commands that put this right, one line; all in the arena. */
const char *remedy_ask(struct postfix *p, const struct asked *a);
const char *remedy_list(struct postfix *p, const struct asked *a);
const char *remedy_milters(struct postfix *p, const struct service *s);
const char *remedy_no_milters(struct postfix *p, const struct service *s);
const char *remedy_not_ask(struct postfix *p, const struct asked *a);
const char *remedy_main(struct postfix *p, const char *name,
			const char *value);
const char *remedy_service(struct postfix *p, const struct service *s,
			   const char *name, const char *value);

/* What cleanup is told. */
void check_recipients(struct postfix *p);
void check_sendmail(struct postfix *p);

/* What a listener that asks us has for some clients. */
void check_maps(struct postfix *p, const struct service *s);
void check_socket(struct postfix *p);

#endif
