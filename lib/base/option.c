#include <config.h>

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "arena.h"
#include "option.h"
#include "text.h"

#define ROWS_MAX 32
#define COLUMNS 80
#define HELP_COLUMN 26
#define LONG_VALUE 256		/* getopt's value of the first long option */

/* The last row of every table. */
static const struct option_row help_row = {
	.name = "help", .help = "print this and end"
};

/* The table as getopt wants it. */
struct tables {
	struct option longs[ROWS_MAX + 2];
	const char *names[ROWS_MAX + 2];
	char letters[2 * ROWS_MAX + 2];
	size_t n;
};

static void
add_long(struct tables *t, const struct option_row *row)
{
	const int has = row->argument ? required_argument : no_argument;

	t->names[t->n] = row->name;
	t->longs[t->n] = (struct option){ row->name, has, NULL,
					  LONG_VALUE + (int)t->n };
	t->n++;
}

static void
make_tables(const struct option_row *rows, struct tables *t)
{
	char *p = t->letters;

	memset(t, 0, sizeof(*t));
	*p++ = ':';
	for (; rows->name != NULL; rows++) {
		assert(t->n < ROWS_MAX);
		add_long(t, rows);
		if (rows->letter == 0)
			continue;
		*p++ = rows->letter;
		if (rows->argument)
			*p++ = ':';
	}
	add_long(t, &help_row);
}

static const struct option_row *
row_of(const struct option_row *rows, const struct tables *t, int value)
{
	if (value == LONG_VALUE + (int)t->n - 1)
		return &help_row;
	if (value >= LONG_VALUE)
		return &rows[value - LONG_VALUE];
	while (rows->name != NULL && rows->letter != value)
		rows++;
	return rows->name != NULL ? rows : NULL;
}

static int
say_unknown(const struct tables *t, const char *word, struct err *e)
{
	size_t n = strcspn(word += strspn(word, "-"), "=");
	char name[64] = "";
	const char *near;

	if (n < sizeof(name))
		memcpy(name, word, n);
	near = text_nearest(name, t->names);
	return err_stop(e, EX_USAGE, "cannot use --%s: no such option%s%s%s",
			text_show(word), near ? " (did you mean --" : "",
			near ? near : "", near ? "?)" : "");
}

static int
say_wrong(const struct option_row *rows, const struct tables *t, int answer,
	  const char *word, struct err *e)
{
	const struct option_row *row = optopt ? row_of(rows, t, optopt) : NULL;
	char letter = (char)optopt;

	if (answer == ':' && row != NULL)
		return err_stop(e, EX_USAGE, "cannot use --%s: expected %s",
				row->name, row->argument);
	if (row != NULL)
		return err_stop(e, EX_USAGE,
				"cannot use --%s: it takes no argument",
				row->name);
	if (optopt == 0)
		return say_unknown(t, word, e);
	return err_stop(e, EX_USAGE, "cannot use -%s: no such option",
			text_show((const char[]){ letter, '\0' }));
}

static int
take_integer(const struct option_row *row, int *out, struct err *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(optarg, &end, 10);
	if (errno != 0 || end == optarg || *end != '\0' || n < row->min ||
	    n > row->max)
		return err_stop(e, EX_USAGE, "cannot use --%s %s: expected an "
				"integer from %d to %d%s%s", row->name,
				text_show(optarg), row->min, row->max,
				row->unit ? " " : "",
				row->unit ? row->unit : "");
	*out = (int)n;
	return 0;
}

static void
take_one_more(struct option_list *l)
{
	l->all = mem_grow(l->all, l->n + 1, sizeof(*l->all));
	l->all[l->n++] = optarg;
}

void
option_free(const struct option_row *rows, void *target)
{
	for (; rows->name != NULL; rows++) {
		struct option_list *l = (void *)((char *)target + rows->offset);

		if (rows->kind != OPTION_LIST)
			continue;
		free(l->all);
		*l = (struct option_list){ NULL, 0 };
	}
}

static int
take_option(const struct option_row *row, void *target, struct err *e)
{
	void *field = (char *)target + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_STRING:
		*(const char **)field = optarg;
		return 0;
	case OPTION_INTEGER:
		return take_integer(row, field, e);
	case OPTION_LIST:
		take_one_more(field);
		return 0;
	}
	return 0;
}

int
option_parse(const struct option_row *rows, void *target, int argc,
	     char **argv, int *first_r, struct err *e)
{
	const struct option_row *row;
	struct tables t;
	int c, help = 0;

	make_tables(rows, &t);
	opterr = 0;
	optind = 0;		/* glibc: start anew, also in the middle */
	for (;;) {
		int at = optind > 0 ? optind : 1;

		c = getopt_long(argc, argv, t.letters, t.longs, NULL);
		if (c == -1)
			break;
		if (c == '?' || c == ':')
			return say_wrong(rows, &t, c,
					 argv[optind > at ? optind - 1 : at],
					 e);
		row = row_of(rows, &t, c);
		if (row == &help_row)
			help = 1;
		else if (take_option(row, target, e) < 0)
			return -1;
	}
	*first_r = optind;
	return help;
}

/* Prints text from column at on, with later lines at HELP_COLUMN. */
static void
print_wrapped(FILE *out, const char *text, int at)
{
	while (*text != '\0') {
		int n = (int)strcspn(text, " ");

		if (at > HELP_COLUMN && at + 1 + n > COLUMNS - 1) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		} else if (at > HELP_COLUMN) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", n, text);
		at += n;
		text += n + (text[n] == ' ');
	}
	fputc('\n', out);
}

static void
print_row(FILE *out, const struct option_row *row)
{
	char letter[8] = "    ", help[512];
	int at;

	if (row->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	at = fprintf(out, "  %s--%s%s%s", letter, row->name,
		     row->argument ? " " : "",
		     row->argument ? row->argument : "");
	if (at >= HELP_COLUMN) {
		fputc('\n', out);
		at = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - at, "");
	snprintf(help, sizeof(help), "%s%s", row->help,
		 row->kind == OPTION_LIST ? " (may be given again)" : "");
	if (row->kind == OPTION_INTEGER) {
		size_t n = strlen(help);

		snprintf(help + n, sizeof(help) - n, " (%s%s%d to %d)",
			 row->unit ? row->unit : "", row->unit ? ", " : "",
			 row->min, row->max);
	}
	print_wrapped(out, help, HELP_COLUMN);
}

void
option_help(FILE *out, const char *synopsis, const char *about,
	    const struct option_row *rows)
{
	fprintf(out, "Usage: %s\n\n%s\n\nOptions:\n", synopsis, about);
	for (; rows->name != NULL; rows++)
		print_row(out, rows);
	print_row(out, &help_row);
}
