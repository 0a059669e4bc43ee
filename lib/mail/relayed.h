/*
 * relayed - which client a relay of ours got a mail from: its Received line.
 *
 * Behind a fallback relay the SMTP client is the relay itself; the client that
 * counts stands in the line that this relay put on top:
 *
 *   Received: from HELO (NAME [203.0.113.5]) by RELAY (...) with ESMTPS ...
 *   Received: from HELO (HELO [IPv6:2001:db8::1]) by RELAY ...
 *
 * (RFC 5321, 4.4; Postfix, and SES's line, which received.h reads whole.)
 * Only the top Received field is read: all others are the sender's word. HELO
 * and NAME are the sender's too and never looked into. Clauses out of order or
 * given twice, words that are no clause, an address in a second comment, a
 * second semicolon, comments and quotes that do not end are what a HELO name
 * or a recipient could put there to hide the address behind one of its own:
 * then nothing of the line is believed. Pure, linear, no allocation.
 */
#ifndef FALLBACKMX_RELAYED_H
#define FALLBACKMX_RELAYED_H

#include <stdbool.h>

#include "head.h"

struct relayed {
	char ip[46];		/* text of inet_ntop(3), without "IPv6:" */
	char helo[256];		/* "" if it does not fit */
	char by[256];		/* the name that the relay gives itself */
	bool tls;		/* "with ESMTPS", "ESMTPSA" or a UTF8SMTP twin
				 * (RFC 3848, 6531); false is unknown when the
				 * relay writes SMTP for all, as SES does */
};

/* False: there is no such line, or it is not well-formed; *r_r is empty. */
bool relayed_read(const struct head *h, struct relayed *r_r);

#endif
