/*
 * logline-private - what the two forms of a line have in common.
 */
#ifndef FALLBACKMX_MILTER_LOGLINE_PRIVATE_H
#define FALLBACKMX_MILTER_LOGLINE_PRIVATE_H

#include "logline.h"

/* The address as text in room bytes; NULL: it is not known. */
const char *logline_client(const struct ip *ip, char *text, size_t room);

/* "rejected" or "tempfailed". */
const char *logline_result(const struct reply *r);

void logline_json_end(const struct logline_end *x, struct buf *out);
void logline_json_refusal(const struct logline_refusal *x, struct buf *out);

#endif
