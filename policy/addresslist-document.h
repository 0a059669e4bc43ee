/*
 * addresslist-document - an address list as a document: GetAddressList with its
 * members, the JSON of AWS's import, or its CSV (a line "address", then one a
 * line).
 */
#ifndef FALLBACKMX_ADDRESSLIST_DOCUMENT_H
#define FALLBACKMX_ADDRESSLIST_DOCUMENT_H

#include "addresslist.h"
#include "document.h"

struct addresslist_document {
	const char *called;	/* by whoever loaded it; NULL: by nobody */
	const char *name, *id, *arn;	/* as the document says; or NULL */
	struct list addresses;	/* moved to items when it was read */
	struct list items;	/* of struct addresslist_item * */
	struct addresslist *list;
};

struct addresslist_item {
	const char *address;
};

extern const struct shape shape_addresslist;

/* Its first line is the header. */
bool addresslist_is_csv(const char *text, size_t n);

/* What is no JSON, into *d. */
void addresslist_read_csv(struct reader *r, const char *text, size_t n,
			  struct addresslist_document *d);

/* Once it is read: makes the list. */
void addresslist_take(struct addresslist_document *d, struct arena *a);

#endif
