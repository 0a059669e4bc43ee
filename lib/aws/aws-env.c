#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "aws-env.h"
#include "lib/base/arena.h"
#include "secret.h"

static struct variable {
	const char *name;
	char *value;
} variables[] = {
	{ "AWS_ACCESS_KEY_ID", NULL },
	{ "AWS_SECRET_ACCESS_KEY", NULL },
	{ "AWS_SESSION_TOKEN", NULL },
	{ "AWS_SECURITY_TOKEN", NULL },
	{ "AWS_CREDENTIAL_EXPIRATION", NULL },
	{ "AWS_PROFILE", NULL },
	{ "AWS_DEFAULT_PROFILE", NULL },
	{ "AWS_CONFIG_FILE", NULL },
	{ "AWS_SHARED_CREDENTIALS_FILE", NULL },
	{ "AWS_REGION", NULL },
	{ "AWS_DEFAULT_REGION", NULL },
	{ "AWS_ENDPOINT_URL", NULL },
	{ "AWS_ENDPOINT_URL_S3", NULL },
	{ "AWS_ENDPOINT_URL_STS", NULL },
	{ "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", NULL },
	{ "AWS_USE_FIPS_ENDPOINT", NULL },
	{ "AWS_USE_DUALSTACK_ENDPOINT", NULL },
	{ "AWS_CA_BUNDLE", NULL },
	{ "AWS_MAX_ATTEMPTS", NULL },
	{ "AWS_RETRY_MODE", NULL },
	{ "AWS_ROLE_ARN", NULL },
	{ "AWS_ROLE_SESSION_NAME", NULL },
	{ "AWS_WEB_IDENTITY_TOKEN_FILE", NULL },
	{ "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL },
	{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL },
	{ "AWS_CONTAINER_AUTHORIZATION_TOKEN", NULL },
	{ "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL },
	{ "AWS_EC2_METADATA_DISABLED", NULL },
	{ "AWS_EC2_METADATA_SERVICE_ENDPOINT", NULL },
	{ "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", NULL },
	{ "CREDENTIALS_DIRECTORY", NULL },
	{ NULL, NULL }
};

static void
forget(struct variable *v)
{
	if (v->value != NULL)
		secret_wipe(v->value, strlen(v->value));
	free(v->value);
	v->value = NULL;
}

void
aws_env_take(void)
{
	for (struct variable *v = variables; v->name != NULL; v++) {
		char *there = getenv(v->name);

		if (there == NULL)
			continue;
		forget(v);
		v->value = mem_strdup(there);
		secret_wipe(there, strlen(there));
		unsetenv(v->name);
	}
}

const char *
aws_env(const char *name)
{
	for (const struct variable *v = variables; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v->value && *v->value ? v->value : NULL;
	/* A name that is missing in the table is a bug. */
	abort();
}

void
aws_env_wipe(void)
{
	for (struct variable *v = variables; v->name != NULL; v++)
		forget(v);
}
