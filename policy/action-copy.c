/*
 * What takes a copy, so that the recipient stays: Archive, WriteToS3,
 * PublishToSns, InvokeLambda, DeliverToQBusiness.
 */
#include <config.h>

#include "action.h"

/* Each of them has it, first. */
#define FAILURE								\
	{ .key = "ActionFailurePolicy", .shape = &shape_failure,	\
	  .offset = offsetof(struct action_plain, failure) }

static const struct member archive_members[] = {
	FAILURE,
	{ .key = "TargetArchive", .shape = &shape_name_or_arn,
	  .required = true,
	  .offset = offsetof(struct action_archive, archive) },
	{ .key = NULL }
};
static const struct shape shape_archive = {
	.type = SHAPE_STRUCT, .what = "an archive to use",
	.members = archive_members, .size = sizeof(struct action_archive),
};

static const struct shape shape_bucket = {
	.type = SHAPE_STRING, .what = "a bucket", .min = 1, .max = 62,
	.pattern = "[a-zA-Z0-9.-]+",
};
static const struct shape shape_prefix = {
	.type = SHAPE_STRING, .what = "a prefix", .min = 1, .max = 62,
	.pattern = "[a-zA-Z0-9!_.*'()/-]+",
};
static const struct shape shape_key = {
	.type = SHAPE_STRING, .what = "a KMS key's id", .min = 20,
	.max = 2048, .pattern = "[a-zA-Z0-9-:/]+",
};
static const struct member s3_members[] = {
	FAILURE,
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_s3, role) },
	{ .key = "S3Bucket", .shape = &shape_bucket, .required = true,
	  .offset = offsetof(struct action_s3, bucket) },
	{ .key = "S3Prefix", .shape = &shape_prefix,
	  .offset = offsetof(struct action_s3, prefix) },
	{ .key = "S3SseKmsKeyId", .shape = &shape_key,
	  .offset = offsetof(struct action_s3, key) },
	{ .key = NULL }
};
static const struct shape shape_s3 = {
	.type = SHAPE_STRUCT, .what = "a place in S3", .members = s3_members,
	.size = sizeof(struct action_s3),
};

static const char *const encoding_words[] = { "UTF-8", "BASE64", NULL };
static const char *const payload_words[] = { "HEADERS", "CONTENT", NULL };

static const struct shape shape_topic = {
	.type = SHAPE_STRING, .what = "a topic's ARN", .min = 20, .max = 2048,
	.pattern = "arn:(aws|aws-cn|aws-us-gov|aws-eusc):sns:[a-z0-9-]+:"
		"\\d{12}:[\\w\\-]{1,256}",
};
static const struct shape shape_encoding = {
	.type = SHAPE_WORD, .what = "an encoding", .words = encoding_words,
};
static const struct shape shape_payload = {
	.type = SHAPE_WORD, .what = "what is sent", .words = payload_words,
};
static const struct member sns_members[] = {
	FAILURE,
	{ .key = "TopicArn", .shape = &shape_topic, .required = true,
	  .offset = offsetof(struct action_sns, topic) },
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_sns, role) },
	{ .key = "Encoding", .shape = &shape_encoding,
	  .offset = offsetof(struct action_sns, encoding) },
	{ .key = "PayloadType", .shape = &shape_payload,
	  .offset = offsetof(struct action_sns, payload) },
	{ .key = NULL }
};
static const struct shape shape_sns = {
	.type = SHAPE_STRUCT, .what = "a topic", .members = sns_members,
	.size = sizeof(struct action_sns),
};

static const char *const invocation_words[] = {
	"EVENT", "REQUEST_RESPONSE", NULL
};

static const struct shape shape_function = {
	.type = SHAPE_STRING, .what = "a function's ARN", .min = 20,
	.max = 2048, .pattern = "[a-zA-Z0-9:_/+=,@.#-]+",
};
static const struct shape shape_invocation = {
	.type = SHAPE_WORD, .what = "how it is called",
	.words = invocation_words,
};
static const struct shape shape_minutes = {
	.type = SHAPE_INTEGER, .what = "minutes", .min = 0, .max = 2160,
};
static const struct member lambda_members[] = {
	FAILURE,
	{ .key = "FunctionArn", .shape = &shape_function, .required = true,
	  .offset = offsetof(struct action_lambda, function) },
	{ .key = "InvocationType", .shape = &shape_invocation,
	  .required = true,
	  .offset = offsetof(struct action_lambda, invocation) },
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_lambda, role) },
	{ .key = "RetryTimeMinutes", .shape = &shape_minutes,
	  .offset = offsetof(struct action_lambda, retry_minutes) },
	{ .key = NULL }
};
static const struct shape shape_lambda = {
	.type = SHAPE_STRUCT, .what = "a function",
	.members = lambda_members, .size = sizeof(struct action_lambda),
};

static const struct shape shape_uuid = {
	.type = SHAPE_STRING, .what = "an id", .min = 36, .max = 36,
	.pattern = "[a-z0-9-]+",
};
static const struct member qbusiness_members[] = {
	FAILURE,
	{ .key = "ApplicationId", .shape = &shape_uuid, .required = true,
	  .offset = offsetof(struct action_deliver, application) },
	{ .key = "IndexId", .shape = &shape_uuid, .required = true,
	  .offset = offsetof(struct action_deliver, index) },
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_deliver, role) },
	{ .key = NULL }
};
static const struct shape shape_qbusiness = {
	.type = SHAPE_STRUCT, .what = "an index",
	.members = qbusiness_members, .size = sizeof(struct action_deliver),
};

const struct action_kind action_archive = {
	.kind = { .key = "Archive", .shape = &shape_archive },
	.effect = EFFECT_COPY,
};

const struct action_kind action_s3 = {
	.kind = { .key = "WriteToS3", .shape = &shape_s3 },
	.effect = EFFECT_COPY,
};

const struct action_kind action_sns = {
	.kind = { .key = "PublishToSns", .shape = &shape_sns },
	.effect = EFFECT_COPY,
};

const struct action_kind action_lambda = {
	.kind = { .key = "InvokeLambda", .shape = &shape_lambda },
	.effect = EFFECT_COPY,
};

const struct action_kind action_qbusiness = {
	.kind = { .key = "DeliverToQBusiness", .shape = &shape_qbusiness },
	.effect = EFFECT_COPY,
};
