/*
 * option - the options of a command as one table: parsing, help and the check
 * of the manual all read it. Parsing is getopt_long(3): long names may be
 * abbreviated, options and arguments may be mixed, "--" ends the options.
 * Not for threads (getopt has one state).
 */
#ifndef FALLBACKMX_OPTION_H
#define FALLBACKMX_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "err.h"

/* What the field of the caller's struct is, for each kind. */
enum option_kind {
	OPTION_FLAG,	/* bool, set to true */
	OPTION_STRING,	/* const char *, into argv */
	OPTION_INTEGER,	/* int, from min to max */
	OPTION_LIST,	/* struct option_list; may be given again and again */
};

/* The arguments in the order given, into argv. Zero-initialised: none. The
 * caller's to free, with option_free(). */
struct option_list {
	const char **all;
	size_t n;
};

struct option_row {
	const char *name;	/* without "--"; NULL ends the table */
	char letter;		/* 0: none */
	const char *argument;	/* the word for it, "DIR"; NULL for a flag */
	enum option_kind kind;
	int min, max;		/* OPTION_INTEGER */
	const char *unit;	/* OPTION_INTEGER: "seconds" */
	size_t offset;		/* of the field in the caller's struct */
	const char *help;
};

/* Frees the arrays, not the words, and empties the lists of the struct. */
void option_free(const struct option_row *rows, void *target);

/*
 * Fills the struct at target; what is not given stays as it was. *first_r is
 * the index of the first argument that is no option (they are moved behind the
 * options). argv[0] is the command's own name and skipped. Every table ends
 * with --help, which is not in it: 1 is returned when it is given, else 0.
 * Fails with ERR_STOP (EX_USAGE), naming the nearest known option.
 */
int option_parse(const struct option_row *rows, void *target, int argc,
		 char **argv, int *first_r, struct err *e);

/* "Usage: SYNOPSIS", an empty line, about, an empty line, the options; at most
 * 80 columns. Each synopsis line and about end without newline. */
void option_help(FILE *out, const char *synopsis, const char *about,
		 const struct option_row *rows);

#endif
