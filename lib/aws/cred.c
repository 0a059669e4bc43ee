#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cred-private.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "secret.h"

#define EARLY (15 * 60)		/* seconds before the end: try (botocore) */
#define PAUSE 60		/* seconds between attempts */
#define QUICK 5			/* seconds of an attempt, with valid ones */
#define PATIENT 60		/* and without */

static const struct cred_provider providers[] = {
	{ "key_file", false, cred_key_file },
	{ "environment", true, cred_environment },
	{ "role", false, cred_role },
	{ "web identity", false, cred_web_identity },
	{ "credentials file", false, cred_credentials_file },
	{ "credential_process", false, cred_process },
	{ "config file", false, cred_config_file },
	{ "sign-in", false, cred_sign_in },
	{ "container", false, cred_container },
	{ "instance", false, cred_instance },
};

#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

struct cred *
cred_new(struct aws_config *config)
{
	struct cred *c = mem_alloc(sizeof(*c));

	c->config = config;
	return c;
}

void
cred_free(struct cred *c)
{
	if (c == NULL)
		return;
	secret_wipe(c, sizeof(*c));
	free(c);
}

const char *
cred_source(const struct cred *c)
{
	return c->source;
}

const char *
cred_word(struct cred *c)
{
	static char said[sizeof(c->word)];

	if (c->word[0] == '\0')
		return NULL;
	memcpy(said, c->word, sizeof(said));
	c->word[0] = '\0';
	return said;
}

void
cred_begin(struct cred *c, int seconds)
{
	c->deadline = clock_monotonic() + seconds;
}

int
cred_seconds(const struct cred *c, int limit)
{
	const double left = c->deadline - clock_monotonic();

	if (left < 1)
		return 1;
	return left < limit ? (int)left : limit;
}

static bool
fits(const char *s, size_t room)
{
	const size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return n > 0 && n < room;
}

enum cred_result
cred_fill(struct aws_creds *out, const char *key, const char *secret,
	  const char *token, const char *from, struct err *e)
{
	const char *wrong = NULL;

	*out = (struct aws_creds){ .expires = 0 };
	if (token == NULL)
		token = "";
	if (!fits(key, sizeof(out->access_key)))
		wrong = "access key";
	else if (!fits(secret, sizeof(out->secret_key)))
		wrong = "secret access key";
	else if (*token != '\0' && !fits(token, sizeof(out->token)))
		wrong = "session token";
	if (wrong != NULL) {
		err_stop(e, EX_CONFIG, "cannot use the credentials of %s: the "
			 "%s is empty, too long, or has blanks", from, wrong);
		return CRED_FAILED;
	}
	memcpy(out->access_key, key, strlen(key));
	memcpy(out->secret_key, secret, strlen(secret));
	memcpy(out->token, token, strlen(token));
	return CRED_FOUND;
}

int64_t
cred_time(const char *text)
{
	struct tm tm = { 0 };
	int n = 0, hours = 0, minutes = 0, sign = 1;
	const char *s;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return -1;
	s = text + n;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (*s == '+' || *s == '-') {
		sign = *s == '-' ? -1 : 1;
		n = 0;
		if (sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2)
			return -1;
		s += 1 + n;
	} else if (*s++ != 'Z') {
		return -1;
	}
	if (*s != '\0' || tm.tm_year < 1970 || tm.tm_year > 9998 ||
	    tm.tm_mon < 1 || tm.tm_mon > 12)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) - sign * (hours * 3600 + minutes * 60);
}

enum cred_result
cred_of_profile(struct cred *c, const char *profile, struct aws_creds *out,
		struct err *e)
{
	static enum cred_result (*const ask[])(struct cred *, const char *,
					       struct aws_creds *,
					       struct err *) = {
		cred_web_identity, cred_credentials_file, cred_process,
		cred_config_file, cred_sign_in,
	};
	enum cred_result r = CRED_NONE;

	for (size_t i = 0; i < sizeof(ask) / sizeof(ask[0]) &&
	     r == CRED_NONE; i++)
		r = ask[i](c, profile, out, e);
	return r;
}

static enum cred_result
ask_one(struct cred *c, const struct cred_provider *p, struct aws_creds *out,
	struct err *e)
{
	enum cred_result r;

	c->visited_n = 0;
	r = p->get(c, c->config->values[VALUE_PROFILE].text, out, e);
	if (r != CRED_FOUND || out->expires == 0 || out->expires > c->now)
		return r;
	err_set(e, ERR_TEMP, "cannot use the credentials of %s: they ended "
		"%lld minutes ago; is the clock of this machine right?",
		c->source, (long long)(c->now - out->expires) / 60);
	return CRED_FAILED;
}

static int
ask_all(struct cred *c, struct aws_creds *out, struct err *e)
{
	const struct aws_config *config = c->config;

	c->none[0] = '\0';
	for (size_t i = 0; i < PROVIDERS; i++) {
		const struct cred_provider *p = &providers[i];

		if (p->environment && config->profile_asked)
			continue;
		switch (ask_one(c, p, out, e)) {
		case CRED_FOUND:
			c->provider = p;
			return 0;
		case CRED_FAILED:
			return -1;
		case CRED_NONE:
			break;
		}
	}
	return err_stop(e, EX_CONFIG, "cannot find credentials: there is no "
			"key_file, none in the environment, the profile %s or "
			"a container; %s",
			text_show(config->values[VALUE_PROFILE].text),
			c->none[0] ? c->none : "and this is no instance");
}

/* The one that had some. */
static int
ask_again(struct cred *c, struct aws_creds *out, struct err *e)
{
	c->none[0] = '\0';
	if (ask_one(c, c->provider, out, e) == CRED_FOUND)
		return 0;
	if (e->text[0] == '\0')
		err_set(e, ERR_TEMP, "cannot renew the credentials of %s: %s",
			c->source, c->none[0] ? c->none :
			"there are none any more");
	return -1;
}

/* Asks for new ones, and keeps the old ones unless that succeeds. */
static int
renew(struct cred *c, int64_t now, int seconds, struct err *e)
{
	struct aws_creds fresh = { .expires = 0 };
	int ret;

	c->now = now;
	c->tried = now;
	cred_begin(c, seconds);
	if (c->provider == NULL)
		ret = ask_all(c, &fresh, e);
	else
		ret = ask_again(c, &fresh, e);
	if (ret == 0) {
		c->creds = fresh;
		c->have = true;
	}
	secret_wipe(&fresh, sizeof(fresh));
	return ret;
}

/* There are no valid ones. Many calls wait for them: one that made us wait is
 * not asked for each of them. */
static int
await(struct cred *c, int64_t now, struct err *e)
{
	const double begun = clock_monotonic();

	if (now < c->again && now >= c->tried) {
		*e = c->why;
		return -1;
	}
	if (renew(c, now, PATIENT, e) == 0)
		return 0;
	c->why = *e;
	/* As long as it took, and as long again. */
	c->again = now + 2 * (int64_t)(clock_monotonic() - begun);
	return -1;
}

int
cred_get(struct cred *c, int64_t now, struct aws_creds *out, struct err *e)
{
	const int64_t left = c->creds.expires - now;
	const bool valid = c->have && (c->creds.expires == 0 || left > 0);
	const bool due = !c->have || (c->creds.expires != 0 && left <= EARLY);
	struct err why = { .text = "" };

	if (!valid && await(c, now, &why) < 0) {
		*e = why;
		return -1;
	}
	if (valid && due && (now - c->tried >= PAUSE || now < c->tried) &&
	    renew(c, now, QUICK, &why) < 0)
		snprintf(c->word, sizeof(c->word), "%s; the present "
			 "credentials are valid for %lld more minutes",
			 why.text, (long long)left / 60);
	*out = c->creds;
	return 0;
}

int
cred_renew(struct cred *c, int64_t now, struct err *e)
{
	struct aws_creds old = c->creds;
	struct err why = { .text = "" };
	int ret;

	if (c->have && c->creds.expires == 0) {
		secret_wipe(&old, sizeof(old));
		return err_stop(e, EX_CONFIG, "cannot renew the credentials of "
				"%s: they are fixed; write new ones there",
				c->source);
	}
	if (c->renewed != 0 && now - c->renewed < PAUSE && now >= c->renewed) {
		secret_wipe(&old, sizeof(old));
		return err_set(e, ERR_TEMP, "the credentials of %s were just "
			       "renewed, and are refused too", c->source);
	}
	c->renewed = now;
	ret = renew(c, now, QUICK, &why);
	if (ret < 0)
		*e = why;
	else if (strcmp(old.access_key, c->creds.access_key) == 0 &&
		 strcmp(old.token, c->creds.token) == 0)
		ret = err_set(e, ERR_TEMP, "cannot renew the credentials: %s "
			      "still gives the same", c->source);
	secret_wipe(&old, sizeof(old));
	return ret;
}
