/*
 * received - the head that Amazon SES puts in front of a mail that it stores.
 *
 * SES prepends Return-Path and its own Received line (AWS SES Developer Guide,
 * "Contents of the event", and captured objects):
 *
 *   Return-Path: <sender>
 *   Received: from HOST (HOST [IP]) by inbound-smtp.REGION.amazonaws.com
 *    with SMTP id SESID for RECIPIENT; Fri, 27 Jan 2023 12:19:20 +0000 (UTC)
 *
 * Only that block is read, never a header of the sender's: the Received line
 * must be the first field, or the second after Return-Path. HOST is the
 * sender's word; clauses (RFC 5321, 4.4) out of order or given twice, a second
 * semicolon, a comment that does not end are its doing, and then nothing of
 * the line is believed.
 * Pure: no clock, no locale, no allocation. Lines end in CRLF or LF; comments
 * in parentheses are skipped.
 */
#ifndef FALLBACKMX_RECEIVED_H
#define FALLBACKMX_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVED_HEAD_MAX 16384	/* bytes of an object that are looked at */

struct received {
	bool found;		/* the top Received line is SES's own; if it
				 * is not, all else is empty */
	char id[128];		/* SES message id, [A-Za-z0-9._-]; "" unknown */
	char recipient[321];	/* of the for clause, brackets removed:
				 * printable ASCII with one @, without blanks,
				 * quotes and brackets; "" unknown */
	char sender[321];	/* of Return-Path, same rules; "" also for <> */
	int64_t arrival;	/* seconds since 1970; 0 unknown. Only between
				 * 2000-01-01 and 2100-01-01 */
};

/*
 * Reads the first len bytes of an object (len may be more or less than the
 * head; at most RECEIVED_HEAD_MAX are used, and of these only whole lines, so
 * that a cut address is never taken for a whole one). Never fails: what is not
 * there or not well-formed stays empty. Linear time.
 */
void received_read(const char *head, size_t len, struct received *r_r);

#endif
