/*
 * settings - the object "milter" of fallbackmx.json: sockets, who is trusted,
 * what a failure answers, and the ingress points with their documents.
 *
 * Read once, checked whole, never changed afterwards: many threads may read
 * it. All memory belongs to the settings. The documents themselves are not
 * opened here (snapshot.h).
 */
#ifndef FALLBACKMX_MILTER_SETTINGS_H
#define FALLBACKMX_MILTER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/config.h"
#include "lib/base/err.h"
#include "policy/range.h"

/* What a policy or rule set is for. */
enum filter_mode {
	MODE_ENFORCE,
	MODE_SHADOW,	/* evaluated, logged, counted, never obeyed */
};
extern const char *const filter_modes[];	/* their words; NULL ends */

/* Kinds of failure, each with an answer of its own. */
enum trouble {
	TROUBLE_INTERNAL,	/* a bug, no memory, no facts */
	TROUBLE_OVERLOAD,	/* no place among `concurrency` in time */
	TROUBLE_LIMITS,		/* more header than is looked at */
	TROUBLE_EDIT,		/* the MTA did not take a change */
	TROUBLE_ARCHIVE,	/* not archived; on_failure has no word for it,
				 * each archive has */
	TROUBLES,
};
extern const char *const trouble_words[];

enum trouble_answer {
	TROUBLE_TEMPFAIL,	/* 451 */
	TROUBLE_ACCEPT,		/* as it came, with a tag that says so */
	TROUBLE_REJECT,		/* limits only: 552 5.3.4 */
};

enum tls_policy {	/* AWS's words of ingress points and receipt rules */
	TLS_POLICY_OPTIONAL,	/* OPTIONAL, Optional */
	TLS_POLICY_REQUIRED,	/* REQUIRED, Require: 530 5.7.0 without */
};

/* How a target of a rule is mapped. */
enum target_way {
	TARGET_LOCAL,	/* that is us: the recipient stays in the envelope */
	TARGET_SKIP,	/* not done; the recipient stays */
	TARGET_CARRY,	/* do it: archives only */
	TARGET_UNMAPPED,	/* nothing says; in shadow mode only */
	TARGET_OWN,	/* the action has no target outside: AddHeader ... */
};
extern const char *const target_ways[];		/* of LOCAL, SKIP, CARRY */

struct target_settings {
	const char *target;	/* id, ARN, name, bucket, or "Send" */
	int way;		/* enum target_way */
	const char *archive;	/* of TARGET_CARRY: its directory's name */
	int storage;		/* enum storage */
};

/* What becomes of a message that cannot be archived. */
enum storage {
	STORAGE_REQUIRED,	/* 451, 452 when the disk is full */
	STORAGE_BEST_EFFORT,	/* a tag and a counter say so */
};

struct archive_settings {
	const char *directory;	/* each archive is a directory in it */
	const char *rest;	/* the archive of all mail; NULL: none */
	int storage;		/* of rest */
	int free_mib;		/* of the disk, that are left alone */
};

struct analysis_settings {
	const char *analyzer, *field;	/* as Analysis{} names them */
	const char *header;		/* whose value it is */
};

struct list_settings {
	const char *name;	/* ARN, id or name, as conditions call it */
	const char *file;
};

struct ip_filter {
	int block;		/* 1 Block, 0 Allow: goes before Block */
	const char *cidr;
	struct range range;	/* of cidr */
};

/* One ingress point. Which sessions are its: listener, daemon_name or
 * macro with value; none of them: all that no other one claims. */
struct ingress_settings {
	const char *name;
	const char *listener;		/* {daemon_addr}:{daemon_port}, or
					 * *:{daemon_port} */
	const char *daemon_name;	/* {daemon_name} */
	const char *macro, *value;	/* macro with its braces; {x} = value */
	const char *traffic_policy;	/* a file; NULL: none */
	int traffic_mode;		/* enum filter_mode */
	const char *rule_set;		/* a file; NULL: none */
	int rule_set_mode;
	int tls;			/* enum tls_policy */
	bool tls_wrapped;		/* TLS before SMTP, as on port 465 */
	int max_size;			/* bytes; 0: no limit */
	bool open;			/* false: 451 4.3.2 at MAIL */
	const char *deny_text;		/* behind 550 5.7.1; never NULL */
	struct ip_filter *ip_filters;
	size_t ip_filters_n;
	struct ip listener_ip;		/* of listener; family 0: any */
	int listener_port;		/* of listener; 0: there is none */
};

struct filter_settings {
	bool given;			/* there is an object "milter" */
	const char *socket;		/* unix:PATH, inet:HOST:PORT, fd */
	const char *socket_group;
	const char *control_socket;	/* a path */
	const char *metrics_file;	/* NULL: none */
	int log_json;			/* 1: JSON lines */
	const char *authserv_id;	/* NULL: Authentication-Results are not
					 * believed */
	bool authserv_job;		/* only results bound to the queue id */
	struct range *trusted;		/* whose mail is submission */
	size_t trusted_n;
	struct range *relays;		/* fallback relays */
	size_t relays_n;
	int concurrency;		/* evaluations at once */
	int wait;			/* seconds, for a place among them */
	int drain;			/* seconds, at a stop */
	int *on_failure;		/* enum trouble_answer, by enum trouble;
					 * never NULL */
	struct analysis_settings *analyses;
	size_t analyses_n;
	struct target_settings *targets;
	size_t targets_n;
	struct archive_settings *archive;	/* never NULL */
	struct list_settings *lists;
	size_t lists_n;
	const char **documents;		/* files: relays, archives */
	size_t documents_n;
	struct ingress_settings *ingresses;	/* "submission" and the one for
						 * all else come of snapshot.h
						 * when they are not named */
	size_t ingresses_n;
	/* private: as written */
	const char **trusted_text, **relays_text;
	size_t trusted_text_n, relays_text_n;
	struct arena arena;
};

/*
 * Reads the configuration file (JSON, at most 1 MiB); one without "milter"
 * gives the defaults. All its mistakes are added to *mistakes, a line each, as
 * lib/base/config.h has them. Returns 0, or -1 with ERR_STOP (EX_CONFIG;
 * EX_NOPERM, EX_IOERR when it cannot be read) and s emptied. As root, a file
 * that others may write is refused.
 */
int filter_settings_read(struct filter_settings *s, const char *file,
			 struct buf *mistakes, struct err *e);

/* The same without the file: text, called name in mistakes. */
int filter_settings_parse(struct filter_settings *s, const char *name,
			  const char *text, size_t len, struct buf *mistakes,
			  struct err *e);

/*
 * Fills control_socket alone, for who wants to ask the milter: mistakes
 * elsewhere do not matter, as it runs with an earlier file. may_miss: without
 * the file it is the default. ERR_STOP when the file cannot be read or the
 * socket's path can be none. filter_settings_free() afterwards.
 */
int filter_settings_control(struct filter_settings *s, const char *file,
			    bool may_miss, struct err *e);

/* The settings in force as the object "milter", defaults included; the
 * caller's reference. */
json_t *filter_settings_json(const struct filter_settings *s);

void filter_settings_free(struct filter_settings *s);

/* Whether one of the n ranges has it; an unknown address is in none. */
bool ip_in(const struct ip *ip, const struct range *ranges, size_t n);

/* What the filters say, Allow before Block: true if it is refused. */
bool ip_refused(const struct ip *ip, const struct ip_filter *filters,
		size_t n);

#endif
