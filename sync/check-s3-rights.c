#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "check-s3.h"
#include "lib/base/text.h"

/*
 * A removal is tried on a key that nobody has, and never so that a delete
 * marker could come of it:
 *
 *	bucket with versions	its version "null": that is none
 *	without			on a condition that nothing fulfils; where that
 *				is refused, without the condition
 *	not known		on that condition, if it is Amazon's server:
 *				that one honours it
 *
 * Amazon may refuse a condition on a missing key if s3:ListBucket is limited to
 * a prefix: it would tell that the key is missing.
 */

static void
tell_read(struct check_s3 *q, const char *behind)
{
	const struct aws_call *c = &q->call;

	/* Of an empty object no byte can be asked for; a server without
	 * ranges may have begun to send all of it. */
	if (c->result == AWS_OK || c->status == 416 || q->got > 0)
		check_ok(q->check, "read", "%s%s", q->source->url,
			 text_show(behind));
	else if (c->status == 404)
		check_warn(q->check, "read", "run it again", "could not be "
			   "tried: %s%s was there no more", q->source->url,
			   text_show(behind));
	else
		check_s3_fail(q, "read", "get", behind, "s3:GetObject");
}

/* True if there is an object that names its version. */
static bool
try_read(struct check_s3 *q)
{
	const char *behind, *prefix = q->source->prefix;
	size_t size;
	char *key;

	if (q->page.n == 0) {
		if (q->listed)
			check_warn(q->check, "read", "run it again when there "
				   "are objects", "could not be tried: there "
				   "is no object in %s", q->source->url);
		return false;
	}
	behind = q->page.list[0].key;
	size = strlen(prefix) + strlen(behind) + 1;
	key = mem_alloc(size);
	snprintf(key, size, "%s%s", prefix, behind);
	check_s3_ask_byte(q, key);
	tell_read(q, behind);
	free(key);
	return q->version;
}

static bool
is_unknown_to_server(const struct check_s3 *q)
{
	const int status = q->call.status;

	return q->call.result == AWS_REFUSED &&
	       (status == 400 || status == 404 || status == 405 ||
		status == 501);
}

static void
ask_versions(struct check_s3 *q, bool seen)
{
	check_s3_ask_setup(q, "versioning");
	if (q->call.result == AWS_OK)
		q->versions = strcmp(q->status, "Enabled") == 0 ? VERSIONS_ON :
			strcmp(q->status, "Suspended") == 0 ?
			VERSIONS_SUSPENDED : VERSIONS_NONE;
	else if (seen)
		q->versions = VERSIONS_ON;
	else if (is_unknown_to_server(q))
		q->versions = VERSIONS_NONE;
}

static void
delete_version(struct check_s3 *q)
{
	check_s3_ask_delete(q, NULL, "null");
	if (q->call.result != AWS_OK && q->call.status != 404) {
		check_s3_fail(q, "delete", "delete from", "",
			      "s3:DeleteObjectVersion");
		return;
	}
	check_ok(q->check, "delete", "versions may be deleted");
	check_ok(q->check, "conditional delete", "not needed: a version is "
		 "deleted by its id");
}

/* Was it the condition that was refused? */
static void
delete_plainly(struct check_s3 *q)
{
	check_s3_ask_delete(q, NULL, NULL);
	if (q->call.result != AWS_OK && q->call.status != 404) {
		check_s3_fail(q, "delete", "delete from", "",
			      "s3:DeleteObject");
		return;
	}
	check_ok(q->check, "delete", "objects may be deleted");
	if (q->endpoint.aws)
		check_ok(q->check, "conditional delete", "Amazon S3 honours "
			 "it; it cannot be tried while s3:ListBucket is "
			 "limited to the prefix");
	else
		check_warn(q->check, "conditional delete", "allow "
			   "s3:GetObject and s3:ListBucket", "it could not be "
			   "tried: the server refuses the condition");
}

static void
delete_object(struct check_s3 *q)
{
	const int *status = &q->call.status;

	check_s3_ask_delete(q, BUCKET_NO_ETAG, NULL);
	if (check_s3_is_denied(q) && q->versions == VERSIONS_NONE) {
		delete_plainly(q);
		return;
	}
	if (q->call.result != AWS_OK && *status != 404 && *status != 409 &&
	    *status != 412) {
		check_s3_fail(q, "delete", "delete from", "",
			      "s3:DeleteObject");
		return;
	}
	check_ok(q->check, "delete", "objects may be deleted");
	if (q->call.result != AWS_OK)
		check_ok(q->check, "conditional delete", "the server honours "
			 "it");
	else
		check_warn(q->check, "conditional delete", "nothing: each "
			   "object is looked at again before it is deleted",
			   "the server of %s does not honour If-Match with "
			   "DELETE", q->source->url);
}

static void
try_delete(struct check_s3 *q)
{
	if (q->source->keep) {
		check_ok(q->check, "delete", "nothing is deleted (keep)");
		return;
	}
	q->nobodys = bucket_free_key(q->source->prefix);
	if (q->versions == VERSIONS_ON || q->versions == VERSIONS_SUSPENDED)
		delete_version(q);
	else if (q->versions == VERSIONS_NONE || q->endpoint.aws)
		delete_object(q);
	else
		check_warn(q->check, "delete", "allow "
			   "s3:GetBucketVersioning", "it was not tried: "
			   "whether %s has versions may not be asked, and "
			   "then a delete marker could stay behind",
			   q->source->url);
	free(q->nobodys);
}

static void
tell_versions(struct check_s3 *q)
{
	static const char *const texts[] = {
		[VERSIONS_UNKNOWN] = "it may not be asked "
				     "(s3:GetBucketVersioning); the import "
				     "does not need to",
		[VERSIONS_NONE] = "the bucket has no versions",
		[VERSIONS_ON] = "the bucket has versions: "
				"s3:DeleteObjectVersion is needed",
		[VERSIONS_SUSPENDED] = "the bucket has suspended its "
				       "versions: s3:DeleteObjectVersion is "
				       "needed",
	};

	if (strcmp(q->mfa, "Enabled") == 0)
		check_fail(q->check, "versioning", EX_CONFIG, "switch MFA "
			   "delete off for that bucket", "to delete a version "
			   "from %s takes a code of MFA", q->source->url);
	else
		check_ok(q->check, "versioning", "%s", texts[q->versions]);
}

static void
try_lock(struct check_s3 *q)
{
	const char *n;

	check_s3_ask_setup(q, "object-lock");
	n = *q->days ? q->days : q->years;
	if (q->call.result == AWS_OK && *q->mode != '\0')
		check_fail(q->check, "object lock", EX_CONFIG, "take the "
			   "default retention off that bucket, or use another",
			   "what is new in %s is locked (%s, %s %s%s): SES "
			   "cannot write there, and nobody can delete",
			   q->source->url, text_show(q->mode), text_show(n),
			   *q->days ? "day" : "year",
			   strcmp(n, "1") == 0 ? "" : "s");
	else if (q->call.result == AWS_OK)
		check_ok(q->check, "object lock", "new objects are not locked");
	else if (is_unknown_to_server(q))
		check_ok(q->check, "object lock", "none");
	else if (check_s3_is_denied(q))
		check_ok(q->check, "object lock", "it may not be asked "
			 "(s3:GetBucketObjectLockConfiguration); the import "
			 "does not need to");
	else
		check_s3_fail(q, "object lock", "ask for the object lock of",
			      "", "s3:GetBucketObjectLockConfiguration");
}

void
check_s3_rights(struct check_s3 *q)
{
	ask_versions(q, try_read(q));
	/* Denied it all: more would say the same again. */
	if (!q->listed && q->versions == VERSIONS_UNKNOWN)
		return;
	try_delete(q);
	tell_versions(q);
	try_lock(q);
}
