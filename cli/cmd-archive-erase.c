#include <config.h>

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "archives.h"
#include "cmd.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/journal/maintain.h"

#define REASON_MAX 1000

struct arguments {
	const char *archive, *reason;
	bool dry_run;
};

static const struct option_row rows[] = {
	ARCHIVES_ROW(struct arguments),
	{ .name = "reason", .argument = "TEXT", .kind = OPTION_STRING,
	  .offset = offsetof(struct arguments, reason),
	  .help = "why; it stays in the archive" },
	{ .name = "dry-run", .letter = 'n',
	  .offset = offsetof(struct arguments, dry_run),
	  .help = "only say what would be erased" },
	{ .name = NULL }
};

/* JSON has no other text. */
static bool
is_utf8(const char *s)
{
	json_t *text = json_string(s);
	const bool is = text != NULL;

	json_decref(text);
	return is;
}

static int
check(const struct arguments *a, int n, struct err *e)
{
	if (n == 0)
		return err_stop(e, EX_USAGE, "cannot erase: expected ID");
	if (a->reason == NULL || *a->reason == '\0')
		return err_stop(e, EX_USAGE, "cannot erase: expected --reason "
				"TEXT");
	if (!is_utf8(a->reason))
		return err_stop(e, EX_USAGE, "cannot erase: found --reason %s, "
				"expected UTF-8", text_show(a->reason));
	if (strlen(a->reason) > REASON_MAX)
		return err_stop(e, EX_USAGE, "cannot erase: found a reason of "
				"%zu bytes, expected at most %d",
				strlen(a->reason), REASON_MAX);
	return 0;
}

static int
erase_one(const struct arguments *a, const struct archives *s,
	  const char *given, struct err *e)
{
	struct maintain m = { .now_us = clock_wall() * 1000000,
			      .uid = (int)getuid(), .dry = a->dry_run };
	const char *id;
	const struct archives_one *one = archives_of(s, given, &id, e);
	bool already;

	if (one == NULL)
		return -1;
	m.dir = one->path;
	if (maintain_erase(&m, id, a->reason, &already, e) < 0)
		return -1;
	printf("%s: %s\n", text_show(given), already ? "was erased before"
	       : a->dry_run ? "would be erased" : "erased");
	if (!already && !a->dry_run)
		log_info("archive erase id=%s uid=%d reason=%s",
			 text_show(given), (int)getuid(),
			 text_show(a->reason));
	return 0;
}

static int
erase(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	struct archives s;
	int code = EX_OK;

	if (check(a, n, e) < 0 || archives_open(&s, a->archive, e) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		code = cmd_go_on(code, erase_one(a, &s, words[i], e), e);
	archives_free(&s);
	return code;
}

static struct arguments given;
const struct command cmd_archive_erase = {
	.name = "archive erase",
	.brief = "remove the bytes of a message, say why",
	.synopsis = "--reason TEXT [options] ID...",
	.about = "Takes the bytes of messages away for good. Envelope, hashes "
		 "and the reason\nstay, so that verify goes on to prove the "
		 "rest.",
	.rows = rows,
	.arguments = &given,
	.run = erase,
};
