#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "archive-select.h"
#include "cmd.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/journal/maintain.h"
#include "policy-file.h"

#define DAY_US ((int64_t)86400 * 1000000)

struct arguments {
	const char *archive;
	struct option_list documents;
	int grace;
	bool remembered, shorten, dry_run, verbose;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	ARCHIVES_ROW(struct arguments),
	{ .name = "document", .argument = "FILE", .kind = OPTION_LIST,
	  FIELD(documents),
	  .help = "how long mail is kept, as CreateArchive says it; of "
		  "several each is for the archive of its name" },
	{ .name = "grace", .argument = "DAYS", .kind = OPTION_INTEGER,
	  .min = 0, .max = 36500, .unit = "days", FIELD(grace),
	  .help = "between pruning and removing; default 30" },
	{ .name = "remembered", FIELD(remembered),
	  .help = "leave an archive alone that was never told how long" },
	{ .name = "shorten", FIELD(shorten),
	  .help = "although it was to be kept longer" },
	{ .name = "dry-run", .letter = 'n', FIELD(dry_run),
	  .help = "only say what would go" },
	{ .name = "verbose", .letter = 'v', FIELD(verbose),
	  .help = "say what goes" },
	{ .name = NULL }
};

/* As many days as such a time can have. */
static const struct {
	const char *word;
	int days;
} periods[] = {
	{ PRUNE_DEFAULT, 180 }, { "THREE_MONTHS", 92 }, { "SIX_MONTHS", 184 },
	{ "NINE_MONTHS", 276 }, { "ONE_YEAR", 366 },
	{ "EIGHTEEN_MONTHS", 550 }, { "TWO_YEARS", 731 },
	{ "THIRTY_MONTHS", 915 }, { "THREE_YEARS", 1096 },
	{ "FOUR_YEARS", 1461 }, { "FIVE_YEARS", 1827 },
	{ "SIX_YEARS", 2192 }, { "SEVEN_YEARS", 2557 },
	{ "EIGHT_YEARS", 2922 }, { "NINE_YEARS", 3288 },
	{ "TEN_YEARS", 3653 },
};

static int64_t
keep_of(const char *word)
{
	if (strcmp(word, "PERMANENT") == 0)
		return INT64_MAX;
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		if (strcmp(word, periods[i].word) == 0)
			return periods[i].days * DAY_US;
	return -1;
}

struct told {
	const char *path;
	bool say, dry;
};

static void
tell(void *to, uint32_t segment, uint64_t records, uint64_t bytes,
     int64_t first_us, int64_t last_us)
{
	const struct told *t = to;
	char first[24], last[24];

	select_time(first_us, first);
	select_time(last_us, last);
	if (t->say)
		printf("%s: segment %" PRIu32 " %s: %" PRIu64 " record%s, %"
		       PRIu64 " bytes, %s to %s\n", text_show(t->path),
		       segment, t->dry ? "would be pruned" : "pruned",
		       records, text_s(records), bytes, first, last);
}

static void
tell_removed(void *to, uint32_t segment, uint64_t bytes)
{
	const struct told *t = to;

	if (t->say)
		printf("%s: segment %" PRIu32 " %s: %" PRIu64 " bytes\n",
		       text_show(t->path), segment,
		       t->dry ? "would be removed" : "removed", bytes);
}

static void
tell_held(void *to, uint32_t segment, const char *why)
{
	const struct told *t = to;

	log_problem("%s: %010" PRIu32 ".pruned-... is not removed: %s; renamed "
		    "to %010" PRIu32 ".segment it is back",
		    text_show(t->path), segment, why, segment);
}

/* The word of the document that is for this archive: the one of its name, or
 * the only one for the archive that was named itself. NULL: none. */
static const char *
word_for(const struct arguments *a, const struct policy *p,
	 const struct archives_one *one)
{
	const char *slash = strrchr(one->path, '/');

	if (*one->name == '\0' && a->documents.n == 1)
		return policy_archive_retention(p, NULL);
	return policy_archive_retention(p, *one->name ? one->name
					: slash ? slash + 1 : one->path);
}

static int
prune_one(const struct arguments *a, const struct policy *p,
	  const struct archives_one *one, struct err *e)
{
	struct told told = { one->path, a->verbose || a->dry_run, a->dry_run };
	const struct maintain m = { .dir = one->path, .dry = a->dry_run,
				    .now_us = clock_wall() * 1000000,
				    .uid = (int)getuid() };
	struct prune r = { .word = word_for(a, p, one), .keep_of = keep_of,
			   .shorten = a->shorten,
			   .remembered = a->remembered, .tell = tell,
			   .tell_removed = tell_removed,
			   .tell_held = tell_held, .to = &told,
			   .no_default = a->documents.n > 0,
			   .grace_us = a->grace * DAY_US };

	if (maintain_prune(&m, &r, e) < 0)
		return -1;
	if (!a->dry_run && r.segments + r.removed > 0)
		log_info("archive prune archive=%s segments=%" PRIu64
			 " records=%" PRIu64 " bytes=%" PRIu64
			 " removed=%" PRIu64 " removed_bytes=%" PRIu64,
			 text_show(one->path), r.segments, r.records, r.bytes,
			 r.removed, r.removed_bytes);
	return 0;
}

static int
read_documents(const struct arguments *a, struct policy *p, struct err *e)
{
	int ret = 0;

	for (size_t i = 0; i < a->documents.n && ret == 0; i++)
		ret = policy_file_load(p, a->documents.all[i], POLICY_ARCHIVE,
				       NULL, e);
	return ret;
}

static int
prune_all(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	struct policy *p = policy_new();
	struct archives s = { .n = 0 };
	int code = EX_OK;

	(void)n, (void)words;
	if (read_documents(a, p, e) < 0 ||
	    archives_open(&s, a->archive, e) < 0)
		code = -1;
	for (size_t i = 0; i < s.n; i++)
		code = cmd_go_on(code, prune_one(a, p, &s.all[i], e), e);
	archives_free(&s);
	policy_free(p);
	return code;
}

static struct arguments given = { .grace = 30 };
const struct command cmd_archive_prune = {
	.name = "archive prune",
	.brief = "remove what has been kept long enough",
	.synopsis = "[options]",
	.about = "Removes what has been kept long enough, in two steps: "
		 "segments in which all\nhas expired are renamed, and removed "
		 "after the grace time. Without --document\nthe time is the "
		 "one of the last run, or 180 days.",
	.rows = rows,
	.arguments = &given,
	.run = prune_all,
	.instead = ARCHIVES_INSTEAD,
};
