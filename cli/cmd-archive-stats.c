#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "archive-select.h"
#include "cmd.h"
#include "lib/base/text.h"

struct arguments {
	const char *archive;
	bool json;
};

static const struct option_row rows[] = {
	ARCHIVES_ROW(struct arguments),
	{ .name = "json", .offset = offsetof(struct arguments, json),
	  .help = "one JSON object for each archive" },
	{ .name = NULL }
};

struct stats {
	uint64_t messages, again, erased, controls, raw, stored;
	int64_t first_us, last_us;
	char kept[64];		/* the word for how long; "": not said yet */
};

static int
count(void *to, struct selected *x, struct err *e)
{
	const struct format_record *r = x->r;
	struct stats *s = to;

	(void)e;
	if (r->type == FORMAT_CONTROL) {
		const char *word = select_text(json_object_get(
			x->metadata, "retention"));

		s->controls++;
		if (*word != '\0')
			snprintf(s->kept, sizeof(s->kept), "%s", word);
		return 0;
	}
	s->again += r->type == FORMAT_AGAIN;
	s->messages += r->type == FORMAT_MESSAGE;
	s->erased += r->state == FORMAT_ERASED;
	s->raw += r->type == FORMAT_MESSAGE ? r->raw_n : 0;
	s->stored += r->state == FORMAT_WHOLE ? r->stored_n : 0;
	if (s->first_us == 0 || r->time_us < s->first_us)
		s->first_us = r->time_us;
	if (r->time_us > s->last_us)
		s->last_us = r->time_us;
	return 0;
}

static void
print_stats(const char *path, const struct stats *s, bool as_json)
{
	char first[24] = "", last[24] = "";

	if (s->messages + s->again > 0) {
		select_time(s->first_us, first);
		select_time(s->last_us, last);
	}
	if (!as_json) {
		printf("%s\n  messages  %" PRIu64 "\n  again     %" PRIu64
		       "\n  erased    %" PRIu64 "\n  bytes     %" PRIu64
		       "\n  kept in   %" PRIu64 "\n  first     %s\n"
		       "  last      %s\n  kept for  %s\n", text_show(path),
		       s->messages, s->again, s->erased, s->raw, s->stored,
		       first, last, *s->kept ? text_show(s->kept) : "180 days, "
		       "unless archive prune is told otherwise");
		return;
	}
	select_print_json(json_pack(
		"{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:s}", "archive",
		text_show(path), "messages", (json_int_t)s->messages, "again",
		(json_int_t)s->again, "erased", (json_int_t)s->erased,
		"controls", (json_int_t)s->controls, "raw_bytes",
		(json_int_t)s->raw, "stored_bytes", (json_int_t)s->stored,
		"first", first, "last", last, "retention",
		text_show(s->kept)));
}

static int
show_stats(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	const struct select none = { .since = NULL };
	struct archives s, one;
	int code = EX_OK, ret;

	(void)n, (void)words;
	if (archives_open(&s, a->archive, e) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		struct stats r = { .messages = 0 };
		const struct select_work work = { .each = count, .to = &r,
						  .controls = true };

		one = (struct archives){ .all = &s.all[i], .n = 1 };
		ret = select_each(&one, &none, &work, &code, e);
		code = cmd_go_on(code, ret, e);
		print_stats(s.all[i].path, &r, a->json);
	}
	archives_free(&s);
	return code;
}

static struct arguments given;
const struct command cmd_archive_stats = {
	.name = "archive stats",
	.brief = "how much there is",
	.synopsis = "[options]",
	.about = "Says how much there is: messages, bytes as they came and as "
		 "they are kept,\nsegments, the first and the last time.",
	.rows = rows,
	.arguments = &given,
	.run = show_stats,
	.instead = ARCHIVES_INSTEAD,
};
