#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/text.h"
#include "s3-page.h"
#include "xml.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* encoding-type=url: as in a form, so "+" is a blank (botocore reads it so).
 * NULL when it would hold a NUL. */
static const char *
decode(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, strlen(text) + 1), *to = out;

	for (; *text != '\0'; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low >= 0) {
			*to = (char)(high << 4 | low);
			text += 2;
		} else {
			*to = *text == '+' ? ' ' : *text;
		}
		if (*to++ == '\0')
			return NULL;
	}
	*to = '\0';
	return out;
}

/* "2026-11-22T02:38:28.123Z" */
static int
read_time(const char *text, struct s3_object *o)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	long ns = 0, unit = 100000000;

	if (rest == NULL)
		return -1;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			ns += unit * (*rest - '0');
	if (strcmp(rest, "Z") != 0)
		return -1;
	o->mtime = timegm(&tm);
	o->mtime_ns = ns;
	return 0;
}

static int
read_size(const char *text, uint64_t *size_r)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	*size_r = strtoull(text, &end, 10);
	return *end == '\0' && *size_r < (uint64_t)1 << 62 ? 0 : -1;
}

static const char *
without_quotes(struct arena *a, const char *text)
{
	size_t n = strlen(text);

	if (n >= 2 && text[0] == '"' && text[n - 1] == '"')
		return arena_strndup(a, text + 1, n - 2);
	return arena_strdup(a, text);
}

static int
nonsense(struct err *e, const char *what, const char *text)
{
	return err_set(e, ERR_TEMP, "the listing has %s %s", what,
		       text_show(text));
}

static int
add_object(struct s3_page *p, struct err *e)
{
	if (p->raw_key == NULL || p->now.etag == NULL)
		return nonsense(e, "an object without key or ETag:",
				p->raw_key ? p->raw_key : "");
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 1024;
		p->list = mem_grow(p->list, p->room, sizeof(*p->list));
	}
	p->now.key = p->raw_key;
	p->list[p->n++] = p->now;
	p->now = (struct s3_object){ .key = NULL };
	p->raw_key = NULL;
	return 0;
}

static int
read_content(struct s3_page *p, const char *name, const char *text,
	     struct err *e)
{
	if (strcmp(name, "Key") == 0) {
		p->raw_key = arena_strdup(&p->arena, text);
	} else if (strcmp(name, "ETag") == 0) {
		p->now.etag = without_quotes(&p->arena, text);
	} else if (strcmp(name, "Size") == 0) {
		if (read_size(text, &p->now.size) < 0)
			return nonsense(e, "a size", text);
	} else if (strcmp(name, "LastModified") == 0) {
		if (read_time(text, &p->now) < 0)
			return nonsense(e, "a time", text);
	}
	return 0;
}

static int
read_element(void *owner, const char *path, const char *text, struct err *e)
{
	static const char root[] = "ListBucketResult";
	static const char content[] = "Contents";
	struct s3_page *p = owner;
	const char *at = path + sizeof(root);

	if (strncmp(path, root, sizeof(root) - 1) != 0 ||
	    (path[sizeof(root) - 1] != '/' && path[sizeof(root) - 1] != '\0'))
		return err_set(e, ERR_TEMP, "the answer is no listing but %s",
			       text_show(path));
	if (path[sizeof(root) - 1] == '\0')
		return 0;
	if (strncmp(at, content, sizeof(content) - 1) == 0) {
		at += sizeof(content) - 1;
		if (*at == '\0')
			return add_object(p, e);
		if (*at == '/')
			return read_content(p, at + 1, text, e);
	} else if (strcmp(at, "IsTruncated") == 0) {
		p->seen_truncated = true;
		p->truncated = strcmp(text, "true") == 0;
	} else if (strcmp(at, "NextContinuationToken") == 0) {
		p->token = arena_strdup(&p->arena, text);
	} else if (strcmp(at, "EncodingType") == 0) {
		p->encoded = strcmp(text, "url") == 0;
	}
	return 0;
}

void
s3_page_begin(struct s3_page *p, const char *prefix)
{
	static const struct xml_reader reader = { .element = read_element };
	struct xml_reader *mine;

	s3_page_free(p);
	p->prefix = prefix;
	mine = arena_alloc(&p->arena, sizeof(*mine));
	*mine = reader;
	mine->owner = p;
	p->xml = xml_new(mine);
}

int
s3_page_add(struct s3_page *p, const void *data, size_t n, struct err *e)
{
	return xml_add(p->xml, data, n, e);
}

/* Keys are decoded only now: EncodingType may stand behind them. */
static int
finish_keys(struct s3_page *p, struct err *e)
{
	const size_t n = strlen(p->prefix);

	for (size_t i = 0; i < p->n; i++) {
		const char *raw = p->list[i].key;
		const char *key = p->encoded ? decode(&p->arena, raw) : raw;

		if (key == NULL || strncmp(key, p->prefix, n) != 0)
			return nonsense(e, "a key that was not asked for:",
					raw);
		p->list[i].key = key + n;
	}
	return 0;
}

int
s3_page_end(struct s3_page *p, struct err *e)
{
	if (xml_end(p->xml, e) < 0 || finish_keys(p, e) < 0)
		return -1;
	xml_free(p->xml);
	p->xml = NULL;
	if (!p->seen_truncated)
		return err_set(e, ERR_TEMP, "the listing does not say whether "
			       "it is complete");
	if (!p->truncated)
		p->token = NULL;
	else if (p->token == NULL || *p->token == '\0')
		return err_set(e, ERR_TEMP, "the listing is cut and does not "
			       "say how to go on");
	return 0;
}

void
s3_page_free(struct s3_page *p)
{
	xml_free(p->xml);
	free(p->list);
	arena_free(&p->arena);
	*p = (struct s3_page){ .n = 0 };
}
