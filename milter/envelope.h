/*
 * envelope - the addresses of MAIL and RCPT as policies compare them.
 *
 * What the client sent may be written in several ways that mean one mailbox;
 * a policy that names it must meet all of them (RFC 5321, 4.1.2): brackets, a
 * source route (<@a,@b:user@c>), a local part in quotes or with backslashes
 * that needs neither ("user"@c), a dot at the end of the domain. Sub-addresses
 * stay. Pure.
 */
#ifndef FALLBACKMX_MILTER_ENVELOPE_H
#define FALLBACKMX_MILTER_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"

/* text: "<a@b>", as libmilter gives it; NULL counts as "". "" is <>. */
const char *envelope_address(const char *text, struct arena *a);

/*
 * The same where the MTA tells what it made of text, by {mail_addr} or
 * {rcpt_addr}: it takes comments, blanks, user%host, host!user and a user
 * without a domain too, and delivers to what that means. NULL, or without a
 * domain: it does not tell, then text counts alone. Where only the case of
 * letters differs it is as the client wrote it.
 */
const char *envelope_meant(const char *told, const char *text,
			   struct arena *a);

/* text as the MTA finds the recipient again: without a source route, which it
 * has thrown away. */
const char *envelope_removable(const char *text, struct arena *a);

/*
 * Whether the MTA finds the recipient again by that text. False: there is one
 * more source route inside (<<@a:b@c>>, <@a:@b:c@d>), which Postfix keeps as a
 * part of the address, but not when it is asked to remove it.
 */
bool envelope_is_removable(const char *removable);

/* The value of a parameter SIZE= among those of MAIL (NULL-terminated, the
 * address first); -1: there is none. */
int64_t envelope_size(char *const *arguments);

#endif
