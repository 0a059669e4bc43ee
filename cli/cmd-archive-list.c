#include <config.h>

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archive-select.h"
#include "cmd.h"
#include "safe.h"

struct arguments {
	const char *archive;
	struct select select;
	int limit;
	bool controls, json;
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
	{ .name = NULL }
};

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
	if (a->json)
		select_print_json(select_json(x));
	else
		print_line(x);
	return a->limit > 0 && --a->limit == 0;
}

static int
list(void *arguments, int n, char **words, struct err *e)
{
	struct arguments *a = arguments;
	const struct select_work work = { .each = print_one, .to = a,
					  .controls = a->controls };
	struct archives s;
	int code = EX_OK, ret;

	(void)n, (void)words;
	if (archives_open(&s, a->archive, e) < 0)
		return -1;
	ret = select_each(&s, &a->select, &work, &code, e);
	archives_free(&s);
	return ret < 0 ? -1 : code;
}

static struct arguments given;
const struct command cmd_archive_list = {
	.name = "archive list",
	.brief = "what is archived: filters, one line or JSON each",
	.synopsis = "[options]",
	.about = "Lists archived messages, oldest first: id, time, bytes, "
		 "sender, recipients.",
	.rows = rows,
	.arguments = &given,
	.run = list,
	.instead = "filters say which",
};
