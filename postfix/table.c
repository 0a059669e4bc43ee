#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "lib/base/buf.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "table.h"

#define FILE_MAX_ ((size_t)1048576)
#define SEPARATORS ", \t\r\n"
#define BLANKS " \t\r\n"

struct entries {
	struct arena *arena;
	struct table_entry *all;
	size_t n, room;
};

static void
add(struct entries *x, const char *key, size_t key_n, const char *value,
    const char *file, size_t line)
{
	struct table_entry *more;
	size_t n = strlen(value);

	if (x->n == x->room) {
		x->room = 2 * x->room + 16;
		more = arena_alloc(x->arena, x->room * sizeof(*more));
		if (x->n > 0)
			memcpy(more, x->all, x->n * sizeof(*more));
		x->all = more;
	}
	while (n > 0 && strchr(BLANKS, value[n - 1]) != NULL)
		n--;
	x->all[x->n++] = (struct table_entry){
		.key = arena_strndup(x->arena, key, key_n),
		.value = arena_strndup(x->arena, value, n),
		.file = file,
		.line = line,
	};
}

/* Behind the brace that closes the one at p; the end if none does. */
static const char *
behind_brace(const char *p)
{
	int depth = 0;

	for (; *p != '\0'; p++)
		if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			return p + 1;
	return p;
}

const char *
table_next(const char **list, struct arena *a)
{
	const char *begin = *list + strspn(*list, SEPARATORS), *p = begin;

	while (*p != '\0' && strchr(SEPARATORS, *p) == NULL)
		p = *p == '{' ? behind_brace(p) : p + 1;
	*list = p;
	return p > begin ? arena_strndup(a, begin, (size_t)(p - begin)) : NULL;
}

/* Bytes of the key, which may be in quotes, or a regular expression. */
static size_t
key_length(const char *s)
{
	const char *p = s + (*s == '!');
	const char end = *p;

	if (end == '"' || end == '/') {
		for (p++; *p != '\0' && *p != end; p++)
			p += *p == '\\' && p[1] != '\0';
		p += *p != '\0';
	}
	return (size_t)(p - s) + strcspn(p, BLANKS);
}

/* A line with those that go on with it. */
static void
take_line(struct entries *x, const char *s, const char *file, size_t line)
{
	size_t n;

	s += strspn(s, BLANKS);
	n = key_length(s);
	if (*s == '\0' || *s == '#' || strncasecmp(s, "if ", 3) == 0 ||
	    strcasecmp(s, "endif") == 0)
		return;
	add(x, s, n, s + n + strspn(s + n, BLANKS), file, line);
}

/* Lines that begin with a blank belong to the one before; those that are empty
 * or begin with # do not end it. */
static void
take_lines(struct entries *x, char *text, const char *file)
{
	struct buf whole;
	size_t line = 0, begin = 0;

	buf_init(&whole, FILE_MAX_);
	for (char *p = text, *rest; p != NULL && *p != '\0'; p = rest) {
		rest = strchr(p, '\n');
		if (rest != NULL)
			*rest++ = '\0';
		line++;
		if (p[strspn(p, BLANKS)] == '\0' || p[strspn(p, BLANKS)] == '#')
			continue;
		if (strchr(" \t", *p) == NULL) {
			if (whole.len > 0)
				take_line(x, whole.data, file, begin);
			buf_clear(&whole);
			begin = line;
		}
		buf_add(&whole, p, strlen(p));
	}
	if (whole.len > 0)
		take_line(x, whole.data, file, begin);
	buf_free(&whole);
}

static int
take_file(struct entries *x, const char *file, struct err *e)
{
	int fd = fsio_openat(AT_FDCWD, file, O_RDONLY | O_NONBLOCK | O_NOCTTY,
			     0);
	struct buf text;
	char part[8192];
	ssize_t n = fd < 0 ? -1 : 1;
	int ret = 0;

	buf_init(&text, FILE_MAX_);
	while (n > 0 && !text.cut) {
		n = fsio_read(fd, part, sizeof(part));
		if (n > 0)
			buf_add(&text, part, (size_t)n);
	}
	if (n < 0)
		ret = err_stop(e, EX_CONFIG, "cannot read %s: %s",
			       text_show(file), strerror(errno));
	else if (text.cut)
		ret = err_stop(e, EX_CONFIG, "%s is larger than 1 MiB",
			       text_show(file));
	else if (text.len > 0)
		take_lines(x, text.data, arena_strdup(x->arena, file));
	fsio_close(&fd);
	buf_free(&text);
	return ret;
}

/* "{ {key = value}, key=value }" */
static void
take_inline(struct entries *x, const char *s)
{
	const char *end = s + strlen(s) - 1, *equals;
	char *word;

	s = arena_strndup(x->arena, s + 1, (size_t)(end - s - 1));
	while ((word = (char *)(size_t)table_next(&s, x->arena)) != NULL) {
		if (*word == '{') {
			word[strlen(word) - 1] = '\0';
			word++;
		}
		word += strspn(word, BLANKS);
		equals = strchr(word, '=');
		if (equals != NULL)
			add(x, word, strcspn(word, BLANKS "="),
			    equals + 1 + strspn(equals + 1, BLANKS), "", 0);
	}
}

static bool
is_text(const char *type, size_t n)
{
	static const char *const types[] = {
		"cidr", "texthash", "pcre", "regexp", "hash", "btree", "lmdb",
		"cdb", "dbm",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i]) == n && memcmp(types[i], type, n) == 0)
			return true;
	return false;
}

int
table_read(const char *table, struct arena *a, struct table_entry **all_r,
	   size_t *n_r, struct err *e)
{
	struct entries x = { .arena = a };
	const size_t n = strcspn(table, ":");
	const char *name = table + n + (table[n] == ':');
	const size_t len = strlen(name);
	const bool braces = len >= 2 && *name == '{' && name[len - 1] == '}';
	int ret = 0;

	if (is_text(table, n) && *name == '/')
		ret = take_file(&x, name, e);
	else if (n == 6 && memcmp(table, "inline", n) == 0 && braces)
		take_inline(&x, name);
	else if (n == 6 && memcmp(table, "static", n) == 0)
		add(&x, "all", 3, braces ? arena_strndup(a, name + 1, len - 2) :
		    name, "", 0);
	else
		ret = err_stop(e, EX_CONFIG, "%s is no table with a text of "
			       "its own", text_show(table));
	*all_r = x.all;
	*n_r = x.n;
	return ret;
}
