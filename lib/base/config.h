/*
 * config - a JSON document against a table of what may stand in it.
 *
 * One table of rows is all there is: config_read() checks a document with it
 * and fills a struct, config_json() makes the document back from the struct,
 * and the manual is checked against it. All mistakes of a document are
 * collected, each as one line without control bytes:
 *
 *   FILE: sources[0].settle: found "x", expected an integer from 0 to 86400
 *   FILE:LINE:COLUMN: cannot read JSON: ...
 *
 * Text of the document lives in the caller's arena. Documents are at most
 * CONFIG_MAX bytes; keys given twice and NUL are refused; nothing is nested
 * deeper than the table (and never deeper than jansson's own limit of 2048).
 * No threads; no I/O but config_read_file().
 */
#ifndef FALLBACKMX_LIB_CONFIG_H
#define FALLBACKMX_LIB_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

#define CONFIG_MAX ((size_t)1048576)

/* What the field of the struct is, for each type. */
enum config_type {
	CONFIG_STRING,	/* const char *; NULL = absent */
	CONFIG_WORD,	/* an enum: the index in words */
	CONFIG_INTEGER,	/* int */
	CONFIG_BOOLEAN,	/* bool */
	CONFIG_OBJECT,	/* pointer to a struct of rows; NULL = absent */
	CONFIG_LIST,	/* pointer to an array of them; with one more, zeroed,
			 * behind its end */
	CONFIG_STRINGS,	/* const char **, an array of them; NULL = absent */
	CONFIG_FOREIGN,	/* no field: another program's, any value; not looked
			 * at, and not in config_json() */
};

struct config_row {
	const char *key;	/* NULL ends the table */
	enum config_type type;
	bool required;
	size_t offset;		/* of the field in the struct */
	const char *help;	/* what is expected, a noun: "a directory" */
	/* INTEGER: value; LIST, STRINGS: items; STRING: bytes, max only, 0 =
	 * any. */
	int min, max;
	const char *unit;	/* INTEGER: "seconds" */
	/* Default of STRING; and of INTEGER, WORD, BOOLEAN. */
	const char *text;
	int number;
	const char *const *words;	/* WORD: NULL-terminated */
	const struct config_row *rows;	/* OBJECT, LIST: of one object */
	size_t size;			/* OBJECT, LIST: of one struct */
	size_t count;	/* LIST, STRINGS: offset of their size_t count */
};

/* Where the mistakes go; n counts them even when lines is full. */
struct config_mistakes {
	const char *file;	/* the name to show */
	struct buf *lines;	/* "...\n" each */
	size_t n;
};

/*
 * Checks text (len bytes) against rows and fills the struct at base: defaults
 * first, then what the document says. A wrong value is a mistake and leaves
 * the default (NULL for strings), so that the caller can go on checking.
 */
void config_read(const char *text, size_t len, const struct config_row *rows,
		 void *base, struct arena *arena, struct config_mistakes *m);

/* Adds "FILE: PATH: found FOUND, expected EXPECTED"; found as it stands in the
 * document (it is quoted here), NULL for nothing. */
void config_mistake(struct config_mistakes *m, const char *path,
		    const char *found, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

/* The same with a value as it stands in the document; NULL for nothing. */
void config_mistake_value(struct config_mistakes *m, const char *path,
			  const json_t *found, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

/* The same with words of ours for what was found: "a second rule set". */
void config_mistake_plain(struct config_mistakes *m, const char *path,
			  const char *found, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

/* A value that is none of the NULL-terminated words, with the nearest one. */
void config_mistake_word(struct config_mistakes *m, const char *path,
			 const json_t *found, const char *const *words);

/* A key that does not belong there; words: those that do. */
void config_mistake_key(struct config_mistakes *m, const char *path,
			const char *key, const char *const *words);

/* Adds the lines of more that lines has not yet; returns how many. For what
 * two readers of one file both say. */
size_t config_add_lines(struct buf *lines, const struct buf *more);

/* "a, b or c" of NULL-terminated words, cut to size. */
void config_words(const char *const *words, char *out, size_t size);

/* The document that gives the struct at base; the caller's reference. A list
 * that is empty and may not be is left out. */
json_t *config_json(const struct config_row *rows, const void *base);

/*
 * The text of the configuration file, up to CONFIG_MAX + 1 bytes (one too many
 * tells config_read()). ERR_STOP: EX_NOPERM, EX_CONFIG (there is none, it is
 * no file, or root is asked to believe one that others may write), EX_IOERR.
 * text was initialised by the caller.
 */
int config_read_file(const char *file, struct buf *text, struct err *e);

#endif
