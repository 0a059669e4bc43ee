#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "cred-private.h"
#include "lib/base/text.h"

/* A key by its name with or without "aws_", in the section or in front. */
static const char *
own_key(const struct ini *i, const char *name)
{
	static const char *const sections[] = { "default", "" };
	char longer[64];
	const char *v = NULL;

	snprintf(longer, sizeof(longer), "aws_%s", name);
	for (size_t s = 0; s < 2 && v == NULL; s++) {
		v = ini_get(i, sections[s], NULL, longer);
		if (v == NULL)
			v = ini_get(i, sections[s], NULL, name);
	}
	return v;
}

static enum cred_result
lacks(const char *from, const char *key, struct err *e)
{
	err_stop(e, EX_CONFIG, "cannot use the credentials of %s: there is no "
		 "%s", from, key);
	return CRED_FAILED;
}

enum cred_result
cred_key_file(struct cred *c, const char *profile, struct aws_creds *out,
	      struct err *e)
{
	const struct ini *i = &c->config->key_file;
	const char *path = c->config->values[VALUE_KEY_FILE].text;
	const char *key, *secret;

	(void)profile;
	if (path == NULL)
		return CRED_NONE;
	key = own_key(i, "access_key_id");
	secret = own_key(i, "secret_access_key");
	snprintf(c->source, sizeof(c->source), "the key_file %s",
		 text_show(path));
	if (key == NULL)
		return lacks(c->source, "access_key_id", e);
	if (secret == NULL)
		return lacks(c->source, "secret_access_key", e);
	return cred_fill(out, key, secret, own_key(i, "session_token"),
			 c->source, e);
}

/* Keys in one file's section of a profile. */
static enum cred_result
keys_of(struct cred *c, const struct ini *i, const char *section,
	const char *profile, int file, struct aws_creds *out, struct err *e)
{
	const char *key = ini_get(i, section, NULL, "aws_access_key_id");
	const char *secret = ini_get(i, section, NULL,
				     "aws_secret_access_key");
	const char *token = ini_get(i, section, NULL, "aws_session_token");

	if (key == NULL)
		return CRED_NONE;
	if (token == NULL)
		token = ini_get(i, section, NULL, "aws_security_token");
	snprintf(c->source, sizeof(c->source), "profile %s of %s",
		 text_show(profile), text_show(c->config->values[file].text));
	if (secret == NULL)
		return lacks(c->source, "aws_secret_access_key", e);
	return cred_fill(out, key, secret, token, c->source, e);
}

enum cred_result
cred_credentials_file(struct cred *c, const char *profile,
		      struct aws_creds *out, struct err *e)
{
	return keys_of(c, &c->config->credentials, profile, profile,
		       VALUE_CREDENTIALS_FILE, out, e);
}

/* Somebody would have to sit there. Whom the next providers know is another
 * one than this profile means. */
enum cred_result
cred_sign_in(struct cred *c, const char *profile, struct aws_creds *out,
	     struct err *e)
{
	static const char *const keys[] = {
		"sso_account_id", "sso_role_name", "login_session", NULL
	};
	const char *from;

	(void)out;
	for (const char *const *key = keys; *key != NULL; key++)
		if (aws_config_get(c->config, profile, NULL, *key,
				   &from) != NULL) {
			err_stop(e, EX_CONFIG, "cannot use the credentials of "
				 "%s: it signs in by a browser (%s), and "
				 "nobody is there: give it a "
				 "credential_process", from, *key);
			return CRED_FAILED;
		}
	return CRED_NONE;
}

enum cred_result
cred_config_file(struct cred *c, const char *profile, struct aws_creds *out,
		 struct err *e)
{
	return keys_of(c, &c->config->config,
		       aws_config_section(c->config, profile), profile,
		       VALUE_CONFIG_FILE, out, e);
}
