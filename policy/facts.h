/*
 * facts - all that a policy can ask of one message.
 *
 * Plain data, filled by whoever has the message: the milter from the SMTP
 * session, `policy test` from options and what the message honestly tells. A
 * fact that is not known is NULL, FACT_UNKNOWN or empty, never a guess: a
 * condition on it is neither true nor false (see verdict.h).
 * Texts are the owner's and outlive the evaluation.
 */
#ifndef FALLBACKMX_FACTS_H
#define FALLBACKMX_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mail/authres.h"
#include "lib/mail/head.h"

enum fact {
	FACT_UNKNOWN,
	FACT_NO,
	FACT_YES,
};

enum tls_version {
	TLS_UNKNOWN,	/* TLS or not: nobody has said */
	TLS_WITHOUT,
	TLS_OLDER,	/* than 1.2 */
	TLS_1_2,
	TLS_1_3,
};

struct ip {
	int family;		/* 0: unknown; AF_INET, AF_INET6 */
	uint8_t bytes[16];	/* network order; v4: the first four. A v4
				 * address mapped into v6 is a v4 one */
};

/* A verdict of an earlier milter, mapped to Analysis{Analyzer, ResultField}. */
struct facts_analysis {
	const char *analyzer, *field, *value;
};

struct facts {
	/* the session */
	struct ip client;		/* of the SMTP connection, or the one
					 * that a relay of ours recorded */
	const char *helo;
	const char *mail_from;		/* without brackets; "" is <> */
	const char *auth_user;		/* SASL login; NULL: none */
	const char *cert_cn;		/* of the client certificate */
	enum tls_version tls;
	enum fact tls_wrapped;		/* TLS before SMTP (port 465) */
	const char *const *recipients;	/* of the envelope, without brackets,
					 * as received */
	size_t recipients_n;
	/* the message; head NULL at RCPT, when there is none yet */
	const struct head *head;
	uint64_t size;		/* bytes with CRLF, without what we add */
	struct authres auth;
	const struct facts_analysis *analyses;
	size_t analyses_n;
};

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "IPv6:2001:db8::1";
 * -1: it is none. */
int facts_ip(const char *text, struct ip *ip_r);

/* Bytes of a message with each line end as CRLF (a lone LF counts as two, a
 * lone CR as itself): MESSAGE_SIZE, whatever the file's line ends are. */
uint64_t facts_size(const char *text, size_t n);

#endif
