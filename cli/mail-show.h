/*
 * mail-show - a mail on a terminal: its header and its text as people read
 * them, of all other parts what they are. Of a part that cannot be decoded the
 * bytes as they came. Nothing that could steer the terminal is written as it
 * is (safe.h).
 */
#ifndef FALLBACKMX_MAIL_SHOW_H
#define FALLBACKMX_MAIL_SHOW_H

#include <stddef.h>

#define MAIL_SHOW_MAX ((size_t)1 << 20)	/* bytes of text */

/* Writes n bytes of mail to stdout; whole: the command that has all of it. */
void mail_show(const char *mail, size_t n, const char *whole);

#endif
