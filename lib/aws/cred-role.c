#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "aws-env.h"
#include "cred-sts.h"
#include "lib/base/text.h"
#include "secret.h"

#define SESSION PACKAGE_NAME	/* what CloudTrail shows */
#define PAIRS(pairs) (sizeof(pairs) / sizeof((pairs)[0]))

static const char *
get(struct cred *c, const char *profile, const char *key)
{
	return aws_config_get(c->config, profile, NULL, key, NULL);
}

static enum cred_result
wrong(const char *profile, const char *why, struct err *e)
{
	err_stop(e, EX_CONFIG, "cannot assume the role of profile %s: %s",
		 text_show(profile), why);
	return CRED_FAILED;
}

static bool
has_keys(struct cred *c, const char *profile)
{
	return get(c, profile, "aws_access_key_id") != NULL ||
	       get(c, profile, "aws_secret_access_key") != NULL;
}

/* A role that another role or a user assumes, not a web identity. */
static bool
has_role(struct cred *c, const char *profile)
{
	return get(c, profile, "role_arn") != NULL &&
	       get(c, profile, "web_identity_token_file") == NULL;
}

static bool
visited(const struct cred *c, const char *profile)
{
	for (size_t i = 0; i < c->visited_n; i++)
		if (strcmp(c->visited[i], profile) == 0)
			return true;
	return false;
}

static enum cred_result assume(struct cred *c, const char *profile,
			       struct aws_creds *out, struct err *e);

/* The credentials that may assume profile's role, of another profile. */
static enum cred_result
of_source_profile(struct cred *c, const char *profile, const char *source,
		  struct aws_creds *out, struct err *e)
{
	enum cred_result r;
	char why[300];

	if (!aws_config_has_profile(c->config, source)) {
		snprintf(why, sizeof(why), "there is no source_profile %s",
			 text_show(source));
		return wrong(profile, why, e);
	}
	/* A profile may name itself, for its own keys. */
	if (visited(c, source) && (strcmp(profile, source) != 0 ||
				   !has_keys(c, source))) {
		snprintf(why, sizeof(why), "source_profile %s leads back to "
			 "itself", text_show(source));
		return wrong(profile, why, e);
	}
	if (!has_keys(c, source) && has_role(c, source))
		return assume(c, source, out, e);
	r = cred_of_profile(c, source, out, e);
	if (r != CRED_NONE)
		return r;
	snprintf(why, sizeof(why), "source_profile %s has no credentials",
		 text_show(source));
	return wrong(profile, why, e);
}

static enum cred_result
of_credential_source(struct cred *c, const char *profile, const char *source,
		     struct aws_creds *out, struct err *e)
{
	static const struct {
		const char *word;
		enum cred_result (*get)(struct cred *, const char *,
					struct aws_creds *, struct err *);
	} words[] = {
		{ "Environment", cred_environment },
		{ "Ec2InstanceMetadata", cred_instance },
		{ "EcsContainer", cred_container },
	};
	char why[300];

	for (size_t i = 0; i < PAIRS(words); i++) {
		enum cred_result r;

		if (strcmp(words[i].word, source) != 0)
			continue;
		r = words[i].get(c, profile, out, e);
		if (r != CRED_NONE)
			return r;
		snprintf(why, sizeof(why), "credential_source %s has no "
			 "credentials", source);
		return wrong(profile, why, e);
	}
	return wrong(profile, "expected a credential_source of Environment, "
		     "Ec2InstanceMetadata or EcsContainer", e);
}

static enum cred_result
find_signer(struct cred *c, const char *profile, struct aws_creds *out,
	    struct err *e)
{
	const char *source = get(c, profile, "source_profile");
	const char *other = get(c, profile, "credential_source");

	if ((source == NULL) == (other == NULL))
		return wrong(profile, "expected either source_profile or "
			     "credential_source", e);
	if (get(c, profile, "mfa_serial") != NULL)
		return wrong(profile, "mfa_serial needs somebody who types a "
			     "code", e);
	return source ? of_source_profile(c, profile, source, out, e) :
		of_credential_source(c, profile, other, out, e);
}

static bool
is_duration(const char *s)
{
	return s == NULL || (strspn(s, "0123456789") == strlen(s) &&
			     strlen(s) <= 5 && atoi(s) >= 900 &&
			     atoi(s) <= 43200);
}

static enum cred_result
assume(struct cred *c, const char *profile, struct aws_creds *out,
       struct err *e)
{
	const char *arn = get(c, profile, "role_arn");
	const char *session = get(c, profile, "role_session_name");
	const struct sigv4_pair pairs[] = {
		{ "Action", "AssumeRole" },
		{ "RoleArn", arn },
		{ "RoleSessionName", session ? session : SESSION },
		{ "ExternalId", get(c, profile, "external_id") },
		{ "DurationSeconds", get(c, profile, "duration_seconds") },
	};
	struct aws_creds signer = { .expires = 0 };
	enum cred_result r;
	char role[sizeof(c->source)];

	if (c->visited_n == CRED_ROLES_MAX)
		return wrong(profile, "too many roles, one from another", e);
	c->visited[c->visited_n++] = profile;
	if (!is_duration(pairs[4].value))
		return wrong(profile, "expected duration_seconds from 900 to "
			     "43200", e);
	r = find_signer(c, profile, &signer, e);
	snprintf(role, sizeof(role), "role %s of profile %s", text_show(arn),
		 text_show(profile));
	if (r == CRED_FOUND)
		r = cred_sts_role(c, pairs, PAIRS(pairs), &signer, role, out,
				  e);
	if (r == CRED_FOUND)
		memcpy(c->source, role, sizeof(role));
	secret_wipe(&signer, sizeof(signer));
	return r;
}

enum cred_result
cred_role(struct cred *c, const char *profile, struct aws_creds *out,
	  struct err *e)
{
	return has_role(c, profile) ? assume(c, profile, out, e) : CRED_NONE;
}

/* The environment counts for the profile in use alone, and not if that is
 * asked for (botocore). */
static const char *
either(struct cred *c, const char *profile, const char *variable,
       const char *key)
{
	const char *v = NULL;

	if (c->visited_n == 0 && !c->config->profile_asked)
		v = aws_env(variable);
	return v ? v : get(c, profile, key);
}

static enum cred_result
with_token(struct cred *c, const char *arn, const char *session, char *token,
	   struct aws_creds *out, struct err *e)
{
	const struct sigv4_pair pairs[] = {
		{ "Action", "AssumeRoleWithWebIdentity" },
		{ "RoleArn", arn },
		{ "RoleSessionName", session ? session : SESSION },
		{ "WebIdentityToken", token },
	};
	size_t n = strlen(token);

	while (n > 0 && strchr(" \t\r\n", token[n - 1]) != NULL)
		token[--n] = '\0';
	snprintf(c->source, sizeof(c->source), "role %s by web identity",
		 text_show(arn));
	return cred_sts_role(c, pairs, PAIRS(pairs), NULL, c->source, out, e);
}

enum cred_result
cred_web_identity(struct cred *c, const char *profile, struct aws_creds *out,
		  struct err *e)
{
	const char *path = either(c, profile, "AWS_WEB_IDENTITY_TOKEN_FILE",
				  "web_identity_token_file");
	const char *arn = either(c, profile, "AWS_ROLE_ARN", "role_arn");
	const char *session = either(c, profile, "AWS_ROLE_SESSION_NAME",
				     "role_session_name");
	struct secret token;
	enum cred_result r;

	if (path == NULL)
		return CRED_NONE;
	if (arn == NULL) {
		err_stop(e, EX_CONFIG, "cannot use the web identity %s: there "
			 "is no role_arn", text_show(path));
		return CRED_FAILED;
	}
	/* Read each time: it is written anew when it ends. */
	if (secret_read(&token, path, CRED_ANSWER_MAX / 4, e) < 0)
		return CRED_FAILED;
	if (token.data == NULL) {
		err_stop(e, EX_CONFIG, "cannot read the web identity %s: there "
			 "is none", text_show(path));
		return CRED_FAILED;
	}
	r = with_token(c, arn, session, token.data, out, e);
	secret_free(&token);
	return r;
}
