#include <config.h>

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "s3-delete.h"
#include "xml.h"

#define MD5_SIZE 16

/* Bytes of the UTF-8 character at s that XML 1.0 allows, or 0. */
static size_t
character(const unsigned char *s)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned long c = s[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2
		 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n > 1)
		c &= 0xffUL >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n == 0 || c < 0x20 || c == 0x7f || c < least[n] ||
	    (c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe)
		return 0;
	return c <= 0x10ffff ? n : 0;
}

bool
s3_delete_takes(const char *key)
{
	const unsigned char *s = (const unsigned char *)key;

	while (*s != '\0') {
		size_t n = character(s);

		if (n == 0)
			return false;
		s += n;
	}
	return true;
}

void
s3_delete_begin(struct buf *body)
{
	buf_clear(body);
	buf_printf(body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/"
		   "2006-03-01/\">");
}

static void
add_escaped(struct buf *body, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_add(body, "&amp;", 5);
			break;
		case '<':
			buf_add(body, "&lt;", 4);
			break;
		case '>':
			buf_add(body, "&gt;", 4);
			break;
		default:
			buf_add(body, text, 1);
		}
}

void
s3_delete_key(struct buf *body, const char *key)
{
	buf_printf(body, "<Object><Key>");
	add_escaped(body, key);
	buf_printf(body, "</Key></Object>");
}

int
s3_delete_end(struct buf *body, char md5[S3_DELETE_MD5_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t n = 0;

	buf_printf(body, "</Delete>");
	if (body->cut || EVP_Q_digest(NULL, "MD5", NULL, body->data, body->len,
				      digest, &n) != 1 || n != MD5_SIZE)
		return -1;
	EVP_EncodeBlock((unsigned char *)md5, digest, MD5_SIZE);
	return 0;
}

static void
add_key(struct s3_delete_answer *a)
{
	if (a->n == a->room) {
		a->room = a->room ? 2 * a->room : 64;
		a->list = mem_grow(a->list, a->room, sizeof(*a->list));
	}
	a->list[a->n++] = a->now;
	a->now = (struct s3_deleted){ .key = NULL };
}

static int
end_of_key(struct s3_delete_answer *a, bool error, struct err *e)
{
	if (a->now.key == NULL)
		return err_set(e, ERR_TEMP, "the answer tells of a key "
			       "without name");
	if (error && a->now.code == NULL)
		a->now.code = "Error";
	if (!error)
		a->now.code = NULL;
	add_key(a);
	return 0;
}

static int
read_element(void *owner, const char *path, const char *text, struct err *e)
{
	static const char root[] = "DeleteResult";
	struct s3_delete_answer *a = owner;
	const char *at = path + sizeof(root) - 1;

	if (strncmp(path, root, sizeof(root) - 1) != 0 ||
	    (*at != '/' && *at != '\0'))
		return err_set(e, ERR_TEMP, "the answer is no DeleteResult "
			       "but %s", text_show(path));
	if (strcmp(at, "/Deleted") == 0)
		return end_of_key(a, false, e);
	if (strcmp(at, "/Error") == 0)
		return end_of_key(a, true, e);
	if (strcmp(at, "/Deleted/Key") == 0 || strcmp(at, "/Error/Key") == 0)
		a->now.key = arena_strdup(&a->arena, text);
	else if (strcmp(at, "/Error/Code") == 0)
		a->now.code = arena_strdup(&a->arena, text);
	else if (strcmp(at, "/Error/Message") == 0)
		a->now.message = arena_strdup(&a->arena, text);
	return 0;
}

void
s3_delete_answer_begin(struct s3_delete_answer *a)
{
	struct xml_reader *reader;

	s3_delete_answer_free(a);
	reader = arena_alloc(&a->arena, sizeof(*reader));
	*reader = (struct xml_reader){ .owner = a, .element = read_element };
	a->xml = xml_new(reader);
}

int
s3_delete_answer_add(struct s3_delete_answer *a, const void *data, size_t n,
		     struct err *e)
{
	return xml_add(a->xml, data, n, e);
}

int
s3_delete_answer_end(struct s3_delete_answer *a, struct err *e)
{
	if (xml_end(a->xml, e) < 0)
		return -1;
	xml_free(a->xml);
	a->xml = NULL;
	return 0;
}

void
s3_delete_answer_free(struct s3_delete_answer *a)
{
	xml_free(a->xml);
	free(a->list);
	arena_free(&a->arena);
	*a = (struct s3_delete_answer){ .n = 0 };
}
