#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "archive-export.h"
#include "cmd.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

#define NAME "archive export"

struct arguments {
	const char *archive, *format, *output;
	struct select select;
	bool metadata, quiet, help;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "output", .argument = "PATH", .kind = OPTION_STRING,
	  FIELD(output), .help = "the directory, or the mbox" },
	{ .name = "format", .argument = "WORD", .kind = OPTION_STRING,
	  FIELD(format), .help = "eml (default), maildir or mbox" },
	{ .name = "metadata", FIELD(metadata),
	  .help = "also what is known of each message, as JSON" },
	ARCHIVES_ROW(struct arguments),
	SELECT_ROWS(struct arguments),
	{ .name = "quiet", .letter = 'q', FIELD(quiet),
	  .help = "do not say how many there were" },
	{ .name = NULL }
};

static const struct export_kind *const kinds[] = {
	&export_eml, &export_maildir, &export_mbox,
};

struct run {
	const struct export_kind *kind;
	struct export x;
	int code;
};

static int
put_one(void *to, struct selected *m, struct err *e)
{
	struct run *r = to;
	int ret = r->kind->put(&r->x, m, e);

	/* One that is damaged does not keep the others. */
	if (ret < 0 && e->code == EX_DATAERR) {
		r->code = cmd_fail(e);
		ret = 0;
	}
	return ret;
}

static int
choose(const struct arguments *a, struct run *r, struct err *e)
{
	const char *word = a->format ? a->format : "eml";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i]->name, word) == 0)
			r->kind = kinds[i];
	if (r->kind == NULL)
		return err_stop(e, EX_USAGE, "cannot use --format %s: expected "
				"eml, maildir or mbox", text_show(word));
	if (a->output == NULL || *a->output == '\0')
		return err_stop(e, EX_USAGE, "cannot export: expected --output "
				"PATH");
	r->x.path = a->output;
	r->x.metadata = a->metadata;
	return 0;
}

static int
export_all(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	struct run r = { .x = { .dir = -1, .new = -1, .cur = -1, .tmp = -1,
				.json = -1, .mbox = -1, .mbox_json = -1 } };
	const struct select_work work = { .each = put_one, .to = &r };
	struct archives s;
	int code = EX_OK;

	(void)n, (void)words;
	if (choose(a, &r, e) < 0 || archives_open(&s, a->archive, e) < 0)
		return -1;
	if (r.kind->open(&r.x, e) < 0 ||
	    select_each(&s, &a->select, &work, &code, e) < 0)
		code = cmd_fail(e);
	code = cmd_go_on(code, r.kind->close(&r.x, e), e);
	archives_free(&s);
	if (!a->quiet)
		log_say("%" PRIu64 " message%s written, %" PRIu64 " were "
			"there, %" PRIu64 " have no bytes any more",
			r.x.written, text_s(r.x.written), r.x.there, r.x.gone);
	return code != EX_OK ? code : r.code;
}

static struct arguments given;
const struct command cmd_archive_export = {
	.name = "archive export",
	.brief = "messages as files, an mbox or a Maildir",
	.synopsis = "--output PATH [options]",
	.about = "Writes archived messages as files, into a Maildir or an "
		 "mbox. Run again, it\ngoes on where it was, and takes what "
		 "has come since.",
	.rows = rows,
	.arguments = &given,
	.run = export_all,
	.instead = "filters say which",
};
