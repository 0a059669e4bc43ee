/*
 * http-private - what the files of http share.
 */
#ifndef FALLBACKMX_HTTP_PRIVATE_H
#define FALLBACKMX_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "http.h"

int http_global(struct err *e);		/* libcurl, once in a process */

/* Makes x's handle if it has none, and sets it up for x's request. */
void http_set(struct http_exchange *x, const struct http_options *o);

/* Fills end and why from libcurl's result. */
void http_ended(struct http_exchange *x, CURLcode code);

#endif
