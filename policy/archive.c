/*
 * An archive: CreateArchive, GetArchive.
 */
#include <config.h>

#include "policy-private.h"

struct archive_retention {
	int period;
};

struct archive_document {
	const char *id, *arn;	/* of answers */
	const char *name, *key;
	const struct archive_retention *retention;
};

static const char *const period_words[] = {
	"THREE_MONTHS", "SIX_MONTHS", "NINE_MONTHS", "ONE_YEAR",
	"EIGHTEEN_MONTHS", "TWO_YEARS", "THIRTY_MONTHS", "THREE_YEARS",
	"FOUR_YEARS", "FIVE_YEARS", "SIX_YEARS", "SEVEN_YEARS", "EIGHT_YEARS",
	"NINE_YEARS", "TEN_YEARS", "PERMANENT", NULL
};

static const struct shape shape_period = {
	.type = SHAPE_WORD, .what = "a time", .words = period_words,
};
static const struct member retention_members[] = {
	{ .key = "RetentionPeriod", .shape = &shape_period,
	  .offset = offsetof(struct archive_retention, period) },
	{ .key = NULL }
};
static const struct shape shape_retention = {
	.type = SHAPE_STRUCT, .what = "how long mail is kept", .one = true,
	.members = retention_members, .size = sizeof(struct archive_retention),
};
static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "an archive's name", .min = 1,
	.max = 64, .pattern = "[a-zA-Z0-9][a-zA-Z0-9_-]*[a-zA-Z0-9]",
};
static const struct shape shape_id = {
	.type = SHAPE_STRING, .what = "an archive's id", .min = 1, .max = 66,
};
static const struct shape shape_arn = {
	.type = SHAPE_STRING, .what = "an archive's ARN", .min = 1,
	.max = 2048,
};
static const struct shape shape_key = {
	.type = SHAPE_STRING, .what = "a KMS key's ARN",
	.pattern = "arn:aws(|-cn|-us-gov|-eusc):kms:[a-z0-9-]{1,20}:"
		"[0-9]{12}:(key|alias)/.+",
};
static const struct member members[] = {
	{ .key = "ArchiveName", .shape = &shape_name,
	  .offset = offsetof(struct archive_document, name) },
	{ .key = "Retention", .shape = &shape_retention,
	  .offset = offsetof(struct archive_document, retention) },
	{ .key = "KmsKeyArn", .shape = &shape_key,
	  .offset = offsetof(struct archive_document, key) },
	{ .key = "ArchiveId", .shape = &shape_id, .answer = true,
	  .offset = offsetof(struct archive_document, id) },
	{ .key = "ArchiveArn", .shape = &shape_arn, .answer = true,
	  .offset = offsetof(struct archive_document, arn) },
	DOCUMENT_ANSWER("ArchiveState"),
	DOCUMENT_ANSWER("CreatedTimestamp"),
	DOCUMENT_ANSWER("LastUpdatedTimestamp"),
	DOCUMENT_COMMON,
	{ .key = NULL }
};
static const struct shape shape_archive = {
	.type = SHAPE_STRUCT, .what = "an archive", .members = members,
	.size = sizeof(struct archive_document),
};

static void
explain(const struct policy *p, const struct document *d, struct buf *out)
{
	const struct archive_document *x = d->of;
	const char *name = x->name ? x->name : x->id;

	(void)p;
	buf_printf(out, "Archive%s", name ? " " : "");
	if (name != NULL)
		document_quote(name, out);
	if (x->retention != NULL)
		buf_printf(out, ": mail is kept %s\n",
			   period_words[x->retention->period - 1]);
	else
		buf_printf(out, ": mail is kept 180 days, AWS's default\n");
}

static const char *const tells[] = { "Retention", "ArchiveName", NULL };

const struct document_kind document_archive = {
	.kind = POLICY_ARCHIVE, .what = "an archive", .tells = tells,
	.shape = &shape_archive, .explain = explain,
};

const char *
policy_archive_retention(const struct policy *p, const char *called)
{
	for (const struct document *d = p->documents; d != NULL; d = d->next) {
		const struct archive_document *x = d->of;

		if (d->kind != &document_archive ||
		    (called != NULL && !policy_same_name(called, x->name)))
			continue;
		return x->retention ? period_words[x->retention->period - 1]
		       : "DEFAULT";
	}
	return NULL;
}

bool
policy_has_archive(const struct policy *p, const char *called)
{
	for (const struct document *d = p->documents; d != NULL; d = d->next) {
		const struct archive_document *x = d->of;

		if (d->kind == &document_archive &&
		    (policy_same_name(called, x->id) ||
		     policy_same_name(called, x->arn) ||
		     policy_same_name(called, x->name)))
			return true;
	}
	return false;
}
