#include <config.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "addresslist-document.h"
#include "policy-private.h"

static const struct shape shape_address = {
	.type = SHAPE_STRING, .min = 3, .max = 320,
	.ok = addresslist_entry_ok,
	.what = "an address or a domain, with one * at most: *@d, pre*@d, "
		"*suf@d, l@*.d, *.d",
};

static const struct member saved_members[] = {
	{ .key = "Address", .shape = &shape_address, .required = true,
	  .offset = offsetof(struct addresslist_item, address) },
	DOCUMENT_ANSWER("CreatedTimestamp"),
	{ .key = NULL }
};
static const struct shape shape_saved = {
	.type = SHAPE_STRUCT, .what = "an address", .members = saved_members,
	.size = sizeof(struct addresslist_item),
};
static const struct shape shape_addresses = {
	.type = SHAPE_LIST, .what = "addresses", .max = ADDRESSLIST_MAX,
	.item = &shape_saved,
};

static const struct member item_members[] = {
	{ .key = "address", .shape = &shape_address, .required = true,
	  .offset = offsetof(struct addresslist_item, address) },
	{ .key = NULL }
};
static const struct shape shape_item = {
	.type = SHAPE_STRUCT, .what = "an address", .members = item_members,
	.size = sizeof(struct addresslist_item),
};
static const struct shape shape_items = {
	.type = SHAPE_LIST, .what = "addresses", .max = ADDRESSLIST_MAX,
	.item = &shape_item,
};

static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "an address list's name",
	.min = 1, .max = 255, .pattern = "[a-zA-Z0-9_.-]+",
};
static const struct shape shape_id = {
	.type = SHAPE_STRING, .what = "an address list's id",
	.min = 1, .max = 255, .pattern = "[a-zA-Z0-9-]+",
};
static const struct shape shape_arn = {
	.type = SHAPE_STRING, .what = "an address list's ARN",
	.min = 1, .max = 2048,
};

static void
check(struct reader *r, const struct place *at, void *value)
{
	struct addresslist_document *d = value;

	if (d->addresses.items == NULL && d->items.items == NULL)
		document_mistake(r, at, "nothing", "Addresses or items");
	else if (d->addresses.items != NULL && d->items.items != NULL)
		document_mistake(r, at, "Addresses and items",
				 "one of them");
	else if (d->items.items == NULL)
		d->items = d->addresses;
	/* Printed are items, which AWS's import takes. */
	d->addresses = (struct list){ 0 };
}

static const struct member members[] = {
	{ .key = "AddressListName", .shape = &shape_name,
	  .offset = offsetof(struct addresslist_document, name) },
	{ .key = "AddressListId", .shape = &shape_id, .answer = true,
	  .offset = offsetof(struct addresslist_document, id) },
	{ .key = "AddressListArn", .shape = &shape_arn, .answer = true,
	  .offset = offsetof(struct addresslist_document, arn) },
	{ .key = "Addresses", .shape = &shape_addresses,
	  .offset = offsetof(struct addresslist_document, addresses) },
	{ .key = "items", .shape = &shape_items,
	  .offset = offsetof(struct addresslist_document, items) },
	DOCUMENT_ANSWER("CreatedTimestamp"),
	DOCUMENT_ANSWER("LastUpdatedTimestamp"),
	DOCUMENT_COMMON,
	{ .key = NULL }
};

const struct shape shape_addresslist = {
	.type = SHAPE_STRUCT, .what = "an address list", .members = members,
	.size = sizeof(struct addresslist_document), .check = check,
};

/* One line without its end, blanks and quotes around it; moves on. */
static void
next_line(const char **text, size_t *n, const char **s_r, size_t *len_r)
{
	const char *s = *text, *nl = memchr(s, '\n', *n);
	size_t len = nl ? (size_t)(nl - s) : *n;

	*text += len + (nl != NULL);
	*n -= len + (nl != NULL);
	while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL &&
	       s[len - 1] != '\0')
		len--;
	for (; len > 0 && (*s == ' ' || *s == '\t'); s++)
		len--;
	if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
		s++;
		len -= 2;
	}
	*s_r = s;
	*len_r = len;
}

bool
addresslist_is_csv(const char *text, size_t n)
{
	const char *s;
	size_t len;

	next_line(&text, &n, &s, &len);
	return len == 7 && strncasecmp(s, "address", 7) == 0;
}

static void
read_line(struct reader *r, size_t line, const char *s, size_t len,
	  struct addresslist_item *item)
{
	char where[32];
	const struct place at = { .key = where };
	json_t *v = memchr(s, '\0', len) ? NULL : json_stringn(s, len);

	snprintf(where, sizeof(where), "line %zu", line);
	if (v == NULL)
		document_mistake(r, &at, "bytes that are no text",
				 "UTF-8 without NUL");
	else
		document_read(r, v, &shape_address, &at, &item->address);
	json_decref(v);
}

static size_t
count_lines(const char *text, size_t n)
{
	size_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

void
addresslist_read_csv(struct reader *r, const char *text, size_t n,
		     struct addresslist_document *d)
{
	const size_t lines = count_lines(text, n);
	struct addresslist_item **items;
	const char *s;
	size_t len, count = 0;

	next_line(&text, &n, &s, &len);
	if (len != 7 || strncasecmp(s, "address", 7) != 0)
		document_mistake_text(r, &(struct place){ .key = "line 1" },
				      arena_strndup(r->arena, s, len),
				      "the header line address");
	items = arena_alloc(r->arena, (lines < ADDRESSLIST_MAX ? lines :
				       ADDRESSLIST_MAX) * sizeof(*items));
	for (size_t line = 2; n > 0; line++) {
		next_line(&text, &n, &s, &len);
		if (len == 0)
			continue;
		if (count == ADDRESSLIST_MAX) {
			document_mistake(r, NULL, "more addresses",
					 "at most %d", ADDRESSLIST_MAX);
			break;
		}
		items[count] = arena_alloc(r->arena, sizeof(**items));
		read_line(r, line, s, len, items[count++]);
	}
	d->items = (struct list){ items, count };
}

void
addresslist_take(struct addresslist_document *d, struct arena *a)
{
	struct addresslist_item *const *items = d->items.items;
	const char **entries = arena_alloc(a, (d->items.n + 1) *
					   sizeof(*entries));

	for (size_t i = 0; i < d->items.n; i++)
		entries[i] = items[i]->address;
	d->list = addresslist_new(entries, d->items.n, a);
}

static void
take(struct policy *p, struct document *d)
{
	(void)p;
	addresslist_take(d->of, &d->arena);
}

static void
explain(const struct policy *p, const struct document *d, struct buf *out)
{
	const struct addresslist_document *x = d->of;
	const char *name = x->called ? x->called : x->arn ? x->arn :
		x->id ? x->id : x->name;

	(void)p;
	buf_printf(out, "Address list");
	if (name != NULL) {
		buf_add(out, " ", 1);
		document_quote(name, out);
	}
	buf_printf(out, ": %zu address%s\n", x->items.n,
		   x->items.n == 1 ? "" : "es");
}

static const char *const tells[] = {
	"Addresses", "items", "AddressListName", "AddressListArn", NULL
};

const struct document_kind document_address_list = {
	.kind = POLICY_ADDRESS_LIST, .what = "an address list",
	.tells = tells, .shape = &shape_addresslist, .take = take,
	.explain = explain,
};

/* What an admin calls it goes before what the document says of itself. */
static bool
is_called(const struct addresslist_document *x, const char *called)
{
	if (x->called != NULL)
		return policy_same_name(called, x->called);
	return policy_same_name(called, x->arn) ||
		policy_same_name(called, x->id) ||
		policy_same_name(called, x->name);
}

/* The last one that was loaded under a name counts: it is the newest. */
const struct addresslist *
policy_find_list(const struct policy *p, const char *called)
{
	const struct addresslist *found = NULL;

	for (const struct document *d = p->documents; d != NULL; d = d->next) {
		const struct addresslist_document *x = d->of;

		if (d->kind == &document_address_list && is_called(x, called))
			found = x->list;
	}
	return found;
}
