#include <config.h>

#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "archive-select.h"
#include "cmd.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/journal/verify.h"

struct arguments {
	const char *archive, *against;
	bool json;
};

static const struct option_row rows[] = {
	ARCHIVES_ROW(struct arguments),
	{ .name = "against", .argument = "HEAD", .kind = OPTION_STRING,
	  .offset = offsetof(struct arguments, against),
	  .help = "what an earlier run printed as head, kept elsewhere" },
	{ .name = "json", .offset = offsetof(struct arguments, json),
	  .help = "one JSON object for each archive" },
	{ .name = NULL }
};

/* One archive's findings on their way out. */
struct report {
	const char *path;
	json_t *findings;	/* NULL: as lines */
};

static void
tell(void *to, enum verify_grade grade, const char *line)
{
	struct report *r = to;

	if (r->findings != NULL)
		json_array_append_new(r->findings, json_pack(
			"{s:b,s:s}", "wrong", grade == VERIFY_WRONG, "text",
			line));
	else if (grade == VERIFY_WRONG)
		log_problem("the archive %s is not as it was written: %s",
			    text_show(r->path), line);
	else
		log_say("%s: %s", text_show(r->path), line);
}

static void
print_line(const char *path, const struct verify *v, const char *head)
{
	printf("%s: %s: %" PRIu64 " message%s, %" PRIu64 " came again, %"
	       PRIu64 " erased, in %" PRIu64 " segment%s\n", text_show(path),
	       v->wrong ? "WRONG" : "as it was written", v->messages,
	       text_s(v->messages), v->again, v->erased, v->segments,
	       text_s(v->segments));
	printf("head %s\n", head);
}

static void
print_json(const char *path, const struct verify *v, const char *head,
	   json_t *findings)
{
	select_print_json(json_pack(
		"{s:s,s:b,s:I,s:I,s:I,s:I,s:s,s:O}", "archive",
		text_show(path), "right", v->wrong == 0, "messages",
		(json_int_t)v->messages, "again", (json_int_t)v->again,
		"erased", (json_int_t)v->erased, "segments",
		(json_int_t)v->segments, "head", head, "findings", findings));
}

static int
verify_one(const struct arguments *a, const struct archives_one *one,
	   const struct format_head *against, struct err *e)
{
	struct report r = { .path = one->path };
	struct verify v = { .tell = tell, .to = &r, .against = against };
	char head[FORMAT_HEAD_SIZE];
	int ret;

	if (a->json)
		r.findings = json_array();
	ret = verify_archive(&v, one->path, e);
	if (ret == 0) {
		format_put_head(&v.head, head);
		if (a->json)
			print_json(one->path, &v, head, r.findings);
		else
			print_line(one->path, &v, head);
		fflush(stdout);
	}
	json_decref(r.findings);
	if (ret == 0 && v.wrong > 0)
		return err_stop(e, EX_DATAERR, "the archive %s is not as it "
				"was written: %" PRIu64 " finding%s",
				text_show(one->path), v.wrong,
				text_s(v.wrong));
	return ret;
}

/* It is said, lest somebody takes what was removed for what never was. */
static void
tell_empty(const struct arguments *a, const struct archives *s)
{
	const struct verify none = { .wrong = 0 };

	for (size_t i = 0; i < s->empty_n; i++) {
		const char *path = s->empty[i].path;
		json_t *findings = json_array();

		if (a->json)
			print_json(path, &none, "", findings);
		else
			printf("%s: empty: nothing is there to verify\n",
			       text_show(path));
		json_decref(findings);
	}
}

static int
verify_all(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	struct format_head head, *against = a->against ? &head : NULL;
	struct archives s;
	int code = EX_OK;

	(void)n, (void)words;
	if (against != NULL && !format_get_head(a->against, &head))
		return err_stop(e, EX_USAGE, "cannot use --against %s: "
				"expected a head as verify prints it, fmx1:...",
				text_show(a->against));
	if (archives_open(&s, a->archive, e) < 0)
		return -1;
	if (against != NULL && s.n > 1)
		code = err_stop(e, EX_USAGE, "cannot use --against: there are "
				"%zu archives, name one by --archive", s.n);
	for (size_t i = 0; i < s.n && code >= 0; i++)
		code = cmd_go_on(code, verify_one(a, &s.all[i], against, e),
				 e);
	if (against == NULL)
		tell_empty(a, &s);
	archives_free(&s);
	return code;
}

static struct arguments given;
const struct command cmd_archive_verify = {
	.name = "archive verify",
	.brief = "is all as it was written?",
	.synopsis = "[options]",
	.about = "Reads every byte of the archives: are they as they were "
		 "written? Only a head\nthat was kept elsewhere shows that "
		 "the end was not cut off, or all of it\nreplaced.",
	.rows = rows,
	.arguments = &given,
	.run = verify_all,
	.instead = ARCHIVES_INSTEAD,
};
