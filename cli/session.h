/*
 * session - the facts of one message: what the user gave, what the message
 * honestly tells, and which of the two it was.
 *
 * A message is the sender's word, but for what stands on top of it:
 *   Return-Path as its first line: of the server that delivered it (RFC 5321,
 *   4.4), or of SES;
 *   SES's own Received line (lib/mail/received.h): client, HELO, recipient;
 *   Authentication-Results, when the user says by whom.
 * Lines that fallbackmx itself put on top of an imported mail are left out.
 * What the user gives wins. The rest is not known, and never guessed.
 * Texts are argv's or the arena's. No threads.
 */
#ifndef FALLBACKMX_SESSION_H
#define FALLBACKMX_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/option.h"
#include "policy/facts.h"

/* The options, as they were given; NULL: not. */
struct session_options {
	const char *client_ip, *helo, *mail_from, *tls_version, *auth_user,
		*cert_cn, *authserv_id;
	struct option_list rcpt, analysis;
	bool tls_wrapped;
};

enum origin {
	ORIGIN_NONE,		/* not known */
	ORIGIN_GIVEN,
	ORIGIN_RETURN_PATH,
	ORIGIN_SES,
};

struct session {
	struct facts facts;
	enum origin client, helo, mail_from, recipients;
	const char *authserv_id;	/* NULL: none is believed */
	size_t authres_n;		/* such fields in the message */
	bool imported;			/* lines of ours were left out */
	struct head head;		/* facts.head points here */
};

/* What the options say of every message. Fails with ERR_STOP (EX_USAGE). */
int session_given(const struct session_options *o, struct session *s_r,
		  struct arena *a, struct err *e);

/*
 * Copies given and adds what the message tells; text outlives *s_r. Fails with
 * ERR_STOP (EX_DATAERR) when there is no recipient, or the message is none: it
 * is empty, or has a NUL.
 */
int session_read(const struct session *given, const char *text, size_t n,
		 struct session *s_r, struct arena *a, struct err *e);

#endif
