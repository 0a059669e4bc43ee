/*
 * aws-config-private - what aws-config.c (decisions), aws-config-file.c (files)
 * and the providers of credentials (cred-*.c) share.
 */
#ifndef FALLBACKMX_AWS_CONFIG_PRIVATE_H
#define FALLBACKMX_AWS_CONFIG_PRIVATE_H

#include "aws-config.h"
#include "ini.h"
#include "lib/base/arena.h"

enum {
	VALUE_REGION, VALUE_PROFILE, VALUE_KEY_FILE, VALUE_CREDENTIALS_FILE,
	VALUE_CONFIG_FILE, VALUE_ENDPOINT_URL, VALUE_STS_URL,
	VALUE_ADDRESSING_STYLE, VALUE_FIPS, VALUE_DUALSTACK, VALUE_PLAIN_HTTP,
	VALUE_CA_BUNDLE, VALUE_PROXY, VALUE_CONNECTIONS, VALUE_MAX_ATTEMPTS,
	VALUE_RETRY_MODE,
	VALUES
};

struct value {
	const char *text, *source;	/* NULL: not said */
};

struct aws_config {
	struct arena arena;		/* no secrets */
	struct aws_settings settings;
	struct value values[VALUES];
	struct ini key_file, credentials, config;
	bool profile_asked;		/* by our own settings: then the
					 * environment's keys do not count */
	const char *home;		/* of the passwd entry; NULL: none */
	const char *warnings[4];
	size_t warnings_n;
};

/* Reads key_file, credentials and config into c, as far as they exist. */
int aws_config_read_files(struct aws_config *c, struct err *e);

/* The profile's value: of the credentials file, else of the config file. NULL:
 * none. block is NULL or a nested block's name; source_r may be NULL. */
const char *aws_config_get(struct aws_config *c, const char *profile,
			   const char *block, const char *key,
			   const char **source_r);
/* The profile's section in the config file. */
const char *aws_config_section(struct aws_config *c, const char *profile);
bool aws_config_has_profile(const struct aws_config *c, const char *profile);

/* -1 when that is neither true nor false; else *r is set. */
int aws_config_boolean(const char *text, bool *r);

#endif
