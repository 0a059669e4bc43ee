/*
 * A relay: CreateRelay, GetRelay.
 */
#include <config.h>

#include "policy-private.h"

struct relay_authentication {
	const char *secret;
	const void *none;
};

struct relay_document {
	const char *id, *arn;	/* of answers */
	const char *name, *server;
	const int64_t *port;
	const struct relay_authentication *authentication;
};

static const struct shape shape_secret = {
	.type = SHAPE_STRING, .what = "a secret's ARN",
	.pattern = "arn:(aws|aws-cn|aws-us-gov|aws-eusc):secretsmanager:"
		"[a-z0-9-]+:\\d{12}:secret:[a-zA-Z0-9/_+=,.@-]+",
};
static const struct member none_members[] = { { .key = NULL } };
static const struct shape shape_none = {
	.type = SHAPE_STRUCT, .what = "no authentication",
	.members = none_members, .size = 1,
};
static const struct member authentication_members[] = {
	{ .key = "SecretArn", .shape = &shape_secret,
	  .offset = offsetof(struct relay_authentication, secret) },
	{ .key = "NoAuthentication", .shape = &shape_none,
	  .offset = offsetof(struct relay_authentication, none) },
	{ .key = NULL }
};
static const struct shape shape_authentication = {
	.type = SHAPE_STRUCT, .what = "how to log in", .one = true,
	.members = authentication_members,
	.size = sizeof(struct relay_authentication),
};
static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "a relay's name", .min = 1, .max = 100,
	.pattern = "[a-zA-Z0-9-_]+",
};
static const struct shape shape_id = {
	.type = SHAPE_STRING, .what = "a relay's id", .min = 1, .max = 100,
	.pattern = "[a-zA-Z0-9-]+",
};
static const struct shape shape_arn = {
	.type = SHAPE_STRING, .what = "a relay's ARN", .min = 1, .max = 2048,
};
static const struct shape shape_server = {
	.type = SHAPE_STRING, .what = "a host", .min = 1, .max = 100,
	.pattern = "[a-zA-Z0-9-\\.]+",
};
static const struct shape shape_port = {
	.type = SHAPE_INTEGER, .what = "a port", .min = 1, .max = 65535,
};
static const struct member members[] = {
	{ .key = "RelayName", .shape = &shape_name,
	  .offset = offsetof(struct relay_document, name) },
	{ .key = "ServerName", .shape = &shape_server, .required = true,
	  .offset = offsetof(struct relay_document, server) },
	{ .key = "ServerPort", .shape = &shape_port, .required = true,
	  .offset = offsetof(struct relay_document, port) },
	{ .key = "Authentication", .shape = &shape_authentication,
	  .required = true,
	  .offset = offsetof(struct relay_document, authentication) },
	{ .key = "RelayId", .shape = &shape_id, .answer = true,
	  .offset = offsetof(struct relay_document, id) },
	{ .key = "RelayArn", .shape = &shape_arn, .answer = true,
	  .offset = offsetof(struct relay_document, arn) },
	DOCUMENT_ANSWER("CreatedTimestamp"),
	DOCUMENT_ANSWER("LastModifiedTimestamp"),
	DOCUMENT_COMMON,
	{ .key = NULL }
};
static const struct shape shape_relay = {
	.type = SHAPE_STRUCT, .what = "a relay", .members = members,
	.size = sizeof(struct relay_document),
};

static void
explain(const struct policy *p, const struct document *d, struct buf *out)
{
	const struct relay_document *x = d->of;
	const char *name = x->name ? x->name : x->id;

	(void)p;
	buf_printf(out, "Relay%s%s: %s port %lld, %s\n", name ? " " : "",
		   name ? name : "", x->server, (long long)*x->port,
		   x->authentication->secret ? "with a login" :
		   "without a login");
}

static const char *const tells[] = { "ServerName", "ServerPort", NULL };

const struct document_kind document_relay = {
	.kind = POLICY_RELAY, .what = "a relay", .tells = tells,
	.shape = &shape_relay, .explain = explain,
};

bool
policy_has_relay(const struct policy *p, const char *called)
{
	for (const struct document *d = p->documents; d != NULL; d = d->next) {
		const struct relay_document *x = d->of;

		if (d->kind == &document_relay &&
		    (policy_same_name(called, x->id) ||
		     policy_same_name(called, x->arn) ||
		     policy_same_name(called, x->name)))
			return true;
	}
	return false;
}
