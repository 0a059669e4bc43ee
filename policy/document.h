/*
 * document - JSON against tables that say what AWS's API says of it: read into
 * structs, checked whole, printed back.
 *
 * A shape is one type of the API model (botocore: data/mailmanager), with its
 * name for people, its limits and its pattern. The same tables read and print,
 * so what was read is what is printed. All mistakes of a document are told,
 * each with its path:
 *
 *   FILE: Rules[3].Conditions[0].StringExpression.Operator: found "IS",
 *   expected EQUALS, NOT_EQUALS, STARTS_WITH, ENDS_WITH or CONTAINS
 *
 * Hostile text is refused before it costs anything: more than POLICY_MAX bytes,
 * POLICY_DEPTH_MAX levels, DOCUMENT_VALUES_MAX values; keys given twice, NUL
 * and invalid UTF-8 by jansson. Memory is the arena's.
 */
#ifndef FALLBACKMX_DOCUMENT_H
#define FALLBACKMX_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/config.h"
#include "policy.h"

#define DOCUMENT_VALUES_MAX ((size_t)1000000)

/* What the field of the struct is, for each type. */
enum shape_type {
	SHAPE_STRING,	/* const char *; NULL: absent */
	SHAPE_WORD,	/* int: place among the words from 1 on; 0: absent */
	SHAPE_INTEGER,	/* const int64_t *; NULL: absent */
	SHAPE_NUMBER,	/* const double *; NULL: absent */
	SHAPE_STRUCT,	/* pointer to a struct; NULL: absent */
	SHAPE_CHOICE,	/* struct choice; kind NULL: absent */
	SHAPE_LIST,	/* struct list; items NULL: absent */
	SHAPE_ANY,	/* no field: it may stand there and is not looked at */
};

struct reader;
struct place;

struct shape {
	enum shape_type type;
	const char *what;	/* a noun: "a rule's name" */
	/* STRING: characters, max 0 = any; LIST: items; INTEGER: value. */
	int64_t min, max;
	const char *pattern;	/* STRING: a PCRE2 one, for the whole of it */
	bool (*ok)(const char *s);	/* STRING: what no pattern can say */
	const char *const *words;	/* WORD */
	const struct member *members;	/* STRUCT: in the order of the API */
	size_t size;		/* STRUCT */
	bool one;		/* STRUCT: exactly one of them (a union) */
	/* STRUCT: called when the members are well. */
	void (*check)(struct reader *r, const struct place *at, void *value);
	const struct kind *const *kinds;	/* CHOICE: NULL-terminated */
	const struct shape *item;	/* LIST */
};

struct member {
	const char *key;	/* NULL ends the table */
	const struct shape *shape;
	size_t offset;
	bool required;
	bool answer;	/* only answers carry it: taken, never printed */
};

/* One of the structs that a CHOICE may be; begins the row of a larger table. */
struct kind {
	const char *key;
	const struct shape *shape;
	bool extension;		/* ours: refused for AWS */
};

struct choice {
	const struct kind *kind;
	void *value;
};

struct list {
	void *items;	/* an array of what the item's shape says */
	size_t n;
};

/* Where in a document; only written out when there is a mistake. */
struct place {
	const struct place *up;	/* NULL: the top */
	const char *key;	/* NULL: an item */
	size_t index;
};

struct reader {
	struct arena *arena;
	struct config_mistakes *m;
	bool aws;
};

/* Never asked for, never missed: of answers, and of requests what has nothing
 * to do with mail. */
extern const struct shape shape_any;

#define DOCUMENT_ANSWER(name) { .key = name, .shape = &shape_any,	\
				.answer = true }
#define DOCUMENT_COMMON							\
	DOCUMENT_ANSWER("Tags"), DOCUMENT_ANSWER("ClientToken"),	\
	DOCUMENT_ANSWER("ResponseMetadata")

/* Passes over the byte order mark of UTF-8. -1 with a mistake told: it is that
 * of UTF-16. */
int document_begin(const char **text, size_t *n, struct config_mistakes *m);

/* The caller's reference; NULL with a mistake told. */
json_t *document_load(const char *text, size_t n, struct config_mistakes *m);

/* Reads v, which stands at at (NULL: the top), into field. Without a value that
 * is well the field stays absent. */
void document_read(struct reader *r, const json_t *v,
		   const struct shape *shape, const struct place *at,
		   void *field);

/* For checks: tells a mistake. found: words of ours ("a second list"). */
void document_mistake(struct reader *r, const struct place *at,
		      const char *found, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

/* The same of a text of the document. */
void document_mistake_text(struct reader *r, const struct place *at,
			   const char *text, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds the JSON of the field, ended by a newline. */
void document_print(const struct shape *shape, const void *field,
		    struct buf *out);

/* Adds `HeaderName "X-A", HeaderValue "b"`: the members of a struct in words,
 * printable ASCII. */
void document_words(const struct shape *shape, const void *value,
		    struct buf *out);

/* Adds s in quotes, printable ASCII. */
void document_quote(const char *s, struct buf *out);

#endif
