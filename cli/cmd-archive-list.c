#include <config.h>

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archive-select.h"
#include "cmd.h"
#include "lib/base/text.h"
#include "safe.h"

#define NAME "archive list"

struct arguments {
	const char *archive;
	struct select select;
	int limit;
	bool controls, json, help;
};

static const struct option_row rows[] = {
	ARCHIVES_ROW(struct arguments),
	SELECT_ROWS(struct arguments),
	{ .name = "limit", .argument = "N", .kind = OPTION_INTEGER, .min = 1,
	  .max = INT_MAX, .offset = offsetof(struct arguments, limit),
	  .help = "at most so many" },
	{ .name = "controls", .offset = offsetof(struct arguments, controls),
	  .help = "also what was erased and pruned" },
	{ .name = "json", .offset = offsetof(struct arguments, json),
	  .help = "one JSON object in each line" },
	{ .name = "help", .offset = offsetof(struct arguments, help),
	  .help = "print this and end" },
	{ .name = NULL }
};

static const char synopsis[] = "fallbackmx archive list [options]";
static const char about[] =
	"Lists archived messages, oldest first: id, time, bytes, sender, "
	"recipients.";

static void
print_line(const struct selected *x)
{
	const json_t *envelope = json_object_get(x->metadata, "envelope");
	const json_t *from = json_object_get(envelope, "from");
	char time[24];
	json_t *to;
	size_t i;

	select_time(x->r->time_us, time);
	printf("%s %s %" PRIu64, x->id, time, x->r->raw_n);
	if (x->r->type == FORMAT_CONTROL) {
		char *text = json_dumps(x->metadata, JSON_COMPACT);

		printf(" control ");
		if (text != NULL)
			safe_write(stdout, text, strlen(text), true);
		free(text);
	} else {
		printf("%s <", x->r->state == FORMAT_ERASED ? " erased" :
		       x->r->type == FORMAT_AGAIN ? " again" : "");
		safe_text(stdout, select_text(json_object_get(from,
							      "address")));
		putchar('>');
		json_array_foreach(json_object_get(envelope, "recipients"), i,
				   to) {
			printf(i == 0 ? " <" : ",<");
			safe_text(stdout, select_text(json_object_get(
				to, "address")));
			putchar('>');
		}
	}
	putchar('\n');
}

static int
print_one(void *to, struct selected *x, struct err *e)
{
	struct arguments *a = to;

	(void)e;
	if (a->json) {
		json_t *o = select_json(x);

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else
		print_line(x);
	return a->limit > 0 && --a->limit == 0;
}

static int
list(struct arguments *a)
{
	const struct select_work work = { .each = print_one, .to = a,
					  .controls = a->controls };
	struct archives s;
	struct err e;
	int code = EX_OK;

	if (archives_open(&s, a->archive, &e) < 0)
		return cmd_fail(&e, NAME);
	if (select_each(&s, &a->select, &work, &code, &e) < 0)
		code = cmd_fail(&e, NAME);
	archives_free(&s);
	return code;
}

int
cmd_archive_list(int argc, char **argv)
{
	struct arguments a = { .help = false };
	struct err e;
	int first = 0, code = EX_OK;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		code = cmd_fail(&e, NAME);
	else if (a.help)
		option_help(stdout, synopsis, about, rows);
	else if (first < argc) {
		err_stop(&e, EX_USAGE, "cannot list %s: expected no argument",
			 text_show(argv[first]));
		code = cmd_fail(&e, NAME);
	} else
		code = list(&a);
	option_list_free(&a.select.header);
	return code;
}
