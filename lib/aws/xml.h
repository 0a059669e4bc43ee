/*
 * xml - what S3 and STS answer: elements that hold elements or text, read by
 * expat as it comes. A DOCTYPE (and with it any entity of its own) is refused,
 * so are a text of more than XML_TEXT_MAX bytes, XML_DEPTH_MAX levels, and
 * XML_MAX bytes in all. Names are given without their namespace: servers do
 * not agree on it. Attributes are not looked at.
 */
#ifndef FALLBACKMX_XML_H
#define FALLBACKMX_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

#define XML_MAX ((size_t)16 << 20)
#define XML_TEXT_MAX ((size_t)8192)
#define XML_DEPTH_MAX 16

struct xml_reader {
	void *owner;
	/*
	 * An element has ended. path: the names from the root, joined by "/";
	 * text: what stood behind the last tag inside of it, so all of the
	 * text of one that has no elements. -1 with e ends the reading.
	 */
	int (*element)(void *owner, const char *path, const char *text,
		       struct err *e);
};

struct xml;

struct xml *xml_new(const struct xml_reader *r);
void xml_free(struct xml *x);

/* The next n bytes; after a failure nothing more may be added. ERR_TEMP. */
int xml_add(struct xml *x, const void *data, size_t n, struct err *e);
/* There is no more: a document that is not whole fails. */
int xml_end(struct xml *x, struct err *e);

#endif
