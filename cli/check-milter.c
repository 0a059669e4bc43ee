#include <config.h>

#include <stdio.h>
#include <sysexits.h>

#include "check-archive.h"
#include "check-milter.h"
#include "cmd.h"
#include "lib/base/text.h"
#include "milter/settings.h"
#include "milter/snapshot.h"
#include "postfix/check.h"

static void
print(const struct postfix_result *r)
{
	static const char *const levels[] = {
		[POSTFIX_OK] = "ok", [POSTFIX_WARNING] = "warning",
		[POSTFIX_FAILED] = "FAILED",
	};

	printf("%s: %s: %s%s%s\n", levels[r->level], r->name, r->what,
	       r->remedy ? " - " : "", r->remedy ? r->remedy : "");
	fflush(stdout);		/* the milter may take its time */
}

/* No milter: that is all well, unless there is nothing else either. */
static int
tell_none(bool alone)
{
	print(&(struct postfix_result) {
		.level = alone ? POSTFIX_FAILED : POSTFIX_OK,
		.name = "milter",
		.what = "there is none in the configuration; Postfix is not "
			"looked at",
		.remedy = alone ? "write \"sources\" or \"milter\": "
			  "fallbackmx.json(5)" : NULL,
	});
	return alone ? EX_CONFIG : EX_OK;
}

static int
tell_mistakes(const char *name, const struct buf *mistakes,
	      const struct err *e)
{
	const struct postfix_result r = {
		.level = POSTFIX_FAILED, .name = name, .what = e->text,
		.remedy = mistakes->len > 0 ? "see the lines of stderr" :
			  "mend that first",
	};

	cmd_say_lines(mistakes);
	print(&r);
	return e->code == EX_NOPERM ? EX_NOPERM : EX_CONFIG;
}

static int
check_archives(struct snapshot *now)
{
	struct postfix_result r = { .level = POSTFIX_FAILED,
				    .name = "archive" };
	struct err e;

	if (check_archive(now, &r.remedy, &e) == 0)
		return EX_OK;
	r.what = e.text;
	print(&r);
	return e.code == EX_NOPERM || e.code == EX_CONFIG ? e.code
	       : EX_TEMPFAIL;
}

/* Its documents, as the milter would take them at its start. */
static int
check_documents(const char *file)
{
	struct buf mistakes, warnings;
	struct snapshot *now;
	struct err e;
	char what[64];
	int code = EX_OK;

	buf_init(&mistakes, CMD_MISTAKES_MAX);
	buf_init(&warnings, CMD_MISTAKES_MAX);
	now = snapshot_load(file, &mistakes, &warnings, &e);
	cmd_say_lines(&warnings);
	if (now != NULL) {
		snprintf(what, sizeof(what), "%zu ingress point%s, no mistakes",
			 now->n, text_s(now->n));
		print(&(struct postfix_result) {
			.level = POSTFIX_OK, .name = "policies", .what = what,
		});
		code = check_archives(now);
	} else {
		code = tell_mistakes("policies", &mistakes, &e);
	}
	snapshot_drop(now);
	buf_free(&mistakes);
	buf_free(&warnings);
	return code;
}

int
check_milter(const char *file, const char *postfix_dir, bool alone)
{
	struct filter_settings s;
	struct postfix_options o = { .dir = postfix_dir, .result = print };
	struct buf mistakes;
	struct err e;
	int code, worse;

	buf_init(&mistakes, CMD_MISTAKES_MAX);
	if (filter_settings_read(&s, file, &mistakes, &e) < 0) {
		code = tell_mistakes("milter", &mistakes, &e);
		buf_free(&mistakes);
		return code;
	}
	buf_free(&mistakes);
	if (!s.given && postfix_dir == NULL) {
		filter_settings_free(&s);
		return tell_none(alone);
	}
	o.socket = s.socket;
	code = check_documents(file);
	worse = postfix_check(&o);
	filter_settings_free(&s);
	return worse > code ? worse : code;
}
