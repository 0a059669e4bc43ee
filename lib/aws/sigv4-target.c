#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/text.h"
#include "sigv4.h"
#include "sigv4-private.h"

struct sigv4_part {	/* of the query, encoded; in the scratch */
	const char *name, *value;
};

void
sigv4_add(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
sigv4_ready(struct buf *b)
{
	b->max = SIGV4_TEXT_MAX;
	buf_clear(b);
}

enum sigv4_path
sigv4_rule(const struct sigv4_request *r)
{
	if (r->rule != SIGV4_PATH_SERVICE)
		return r->rule;
	return strcmp(r->service, "s3") == 0 ? SIGV4_PATH_KEPT :
					       SIGV4_PATH_TWICE;
}

static bool
unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void
sigv4_encode(struct buf *b, const char *text, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *s = text;

	while (*s != '\0') {
		const char *run = s;

		while (unreserved((unsigned char)*s) ||
		       (keep_slash && *s == '/'))
			s++;
		buf_add(b, run, (size_t)(s - run));
		if (*s != '\0') {
			const unsigned char c = (unsigned char)*s++;
			const char out[] = { '%', digits[c >> 4],
					     digits[c & 15] };

			buf_add(b, out, sizeof(out));
		}
	}
}

/* Resolves "." and "..", and makes one slash of several, as AWS's services
 * other than S3 do (RFC 3986, 5.2.4). */
static void
normalise(struct buf *b, const char *path)
{
	size_t n;

	for (const char *s = path; *s != '\0'; s += n) {
		s += strspn(s, "/");
		n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.'))
			continue;
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			while (b->len > 0 && b->data[--b->len] != '/')
				continue;
			continue;
		}
		buf_add(b, "/", 1);
		buf_add(b, s, n);
	}
	if (b->len == 0 || path[strlen(path) - 1] == '/')
		buf_add(b, "/", 1);
	else if (!b->cut)
		b->data[b->len] = '\0';
}

static int
by_name_and_value(const void *a, const void *b)
{
	const struct sigv4_part *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->value, y->value);
}

/* Encoded first, sorted then: "é" comes before "z" as %C3%A9. */
static void
add_query(struct sigv4 *s, const struct sigv4_request *r, struct buf *b)
{
	const char *at;

	if (r->query_n > s->parts_room) {
		s->parts = mem_grow(s->parts, r->query_n, sizeof(*s->parts));
		s->parts_room = r->query_n;
	}
	sigv4_ready(&s->scratch);
	for (size_t i = 0; i < r->query_n; i++) {
		sigv4_encode(&s->scratch, r->query[i].name, false);
		buf_add(&s->scratch, "", 1);
		sigv4_encode(&s->scratch, r->query[i].value, false);
		buf_add(&s->scratch, "", 1);
	}
	if (s->scratch.cut) {
		b->cut = true;
		return;
	}
	at = s->scratch.data;
	for (size_t i = 0; i < r->query_n; i++) {
		s->parts[i].name = at;
		at += strlen(at) + 1;
		s->parts[i].value = at;
		at += strlen(at) + 1;
	}
	if (r->query_n > 1)
		qsort(s->parts, r->query_n, sizeof(*s->parts),
		      by_name_and_value);
	for (size_t i = 0; i < r->query_n; i++) {
		buf_add(b, i == 0 ? "?" : "&", 1);
		sigv4_add(b, s->parts[i].name);
		buf_add(b, "=", 1);
		sigv4_add(b, s->parts[i].value);
	}
}

int
sigv4_target(struct sigv4 *s, const struct sigv4_request *r, struct buf *b,
	    size_t *path_n_r, struct err *e)
{
	if (r->path[0] != '/')
		return err_set(e, ERR_PERM, "cannot sign %s: a path begins "
			       "with a slash", text_show(r->path));
	sigv4_ready(b);
	if (sigv4_rule(r) == SIGV4_PATH_KEPT) {
		sigv4_encode(b, r->path, true);
	} else {
		sigv4_ready(&s->scratch);
		normalise(&s->scratch, r->path);
		sigv4_encode(b, s->scratch.data, true);
	}
	*path_n_r = b->len;
	if (r->query_n > 0)
		add_query(s, r, b);
	if (b->cut)
		return err_set(e, ERR_PERM, "cannot sign a request: its path "
			       "and query have more than %zu bytes",
			       SIGV4_TEXT_MAX);
	return 0;
}
