#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "aws-config-private.h"
#include "aws-env.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

static const char *const style_words[] = {
	[ENDPOINT_AUTO] = "auto", [ENDPOINT_PATH] = "path",
	[ENDPOINT_VIRTUAL] = "virtual", NULL
};

/* Where a value may come from, after our own settings. Endpoint URLs and
 * files are more than one row can say. */
static const struct row {
	const char *name;
	const char *env[2];
	const char *block, *key;	/* of the profile */
	const char *fallback;
} rows[VALUES] = {
	[VALUE_REGION] = { "region", { "AWS_REGION", "AWS_DEFAULT_REGION" },
			   NULL, "region", NULL },
	[VALUE_PROFILE] = { "profile", { "AWS_PROFILE", "AWS_DEFAULT_PROFILE" },
			    NULL, NULL, "default" },
	[VALUE_KEY_FILE] = { .name = "key_file" },
	[VALUE_CREDENTIALS_FILE] = { .name = "credentials file" },
	[VALUE_CONFIG_FILE] = { .name = "config file" },
	[VALUE_ENDPOINT_URL] = { .name = "endpoint_url" },
	[VALUE_STS_URL] = { .name = "endpoint_url of STS" },
	[VALUE_ADDRESSING_STYLE] = { "addressing_style", { NULL }, "s3",
				     "addressing_style", "auto" },
	[VALUE_FIPS] = { "use_fips_endpoint", { "AWS_USE_FIPS_ENDPOINT" }, NULL,
			 "use_fips_endpoint", "false" },
	[VALUE_DUALSTACK] = { "use_dualstack_endpoint",
			      { "AWS_USE_DUALSTACK_ENDPOINT" }, NULL,
			      "use_dualstack_endpoint", "false" },
	[VALUE_PLAIN_HTTP] = { .name = "allow_plain_http",
			       .fallback = "false" },
	[VALUE_CA_BUNDLE] = { "ca_bundle", { "AWS_CA_BUNDLE" }, NULL,
			      "ca_bundle", NULL },
	[VALUE_PROXY] = { .name = "proxy" },
	[VALUE_CONNECTIONS] = { .name = "connections" },
	[VALUE_MAX_ATTEMPTS] = { "max_attempts", { "AWS_MAX_ATTEMPTS" }, NULL,
				 "max_attempts", NULL },
	[VALUE_RETRY_MODE] = { "retry_mode", { "AWS_RETRY_MODE" }, NULL,
			       "retry_mode", "standard" },
};

/* Those that calls go to. */
static const struct service {
	const char *name, *variable;
	int value;
} services[] = {
	{ "s3", "AWS_ENDPOINT_URL_S3", VALUE_ENDPOINT_URL },
	{ "sts", "AWS_ENDPOINT_URL_STS", VALUE_STS_URL },
};

/* What our own settings say, as text. */
static const char *
own(struct aws_config *c, int value)
{
	const struct aws_settings *s = &c->settings;

	switch (value) {
	case VALUE_REGION:
		return s->region;
	case VALUE_PROFILE:
		return s->profile;
	case VALUE_ADDRESSING_STYLE:
		return s->addressing_style == ENDPOINT_AUTO ? NULL :
			style_words[s->addressing_style];
	case VALUE_FIPS:
		return s->use_fips_endpoint ? "true" : NULL;
	case VALUE_DUALSTACK:
		return s->use_dualstack_endpoint ? "true" : NULL;
	case VALUE_PLAIN_HTTP:
		return s->allow_plain_http ? "true" : NULL;
	case VALUE_CA_BUNDLE:
		return s->ca_bundle;
	case VALUE_PROXY:
		return s->proxy;
	case VALUE_CONNECTIONS:
		return arena_printf(&c->arena, "%d", s->connections ?
				    s->connections : AWS_CONNECTIONS);
	default:
		return NULL;
	}
}

static void
decide(struct aws_config *c, int value)
{
	const struct row *row = &rows[value];
	const char *profile = c->values[VALUE_PROFILE].text;
	struct value *v = &c->values[value];

	v->text = own(c, value);
	v->source = "settings";
	if (value == VALUE_CONNECTIONS &&
	    atoi(v->text) == AWS_CONNECTIONS)
		v->source = "default";
	for (size_t i = 0; i < 2 && v->text == NULL && row->env[i]; i++) {
		v->text = aws_env(row->env[i]);
		v->source = row->env[i];
	}
	if (v->text == NULL && row->key != NULL)
		v->text = aws_config_get(c, profile, row->block, row->key,
					 &v->source);
	if (v->text == NULL) {
		v->text = row->fallback;
		v->source = row->fallback ? "default" : NULL;
	}
	if (v->text != NULL)
		v->text = arena_strdup(&c->arena, v->text);
}

static int
wrong(const struct aws_config *c, int value, const char *expected,
      struct err *e)
{
	const struct value *v = &c->values[value];

	return err_stop(e, EX_CONFIG, "cannot use the %s %s (%s): expected %s",
			rows[value].name, text_show(v->text), v->source,
			expected);
}

int
aws_config_boolean(const char *text, bool *r)
{
	*r = strcasecmp(text, "true") == 0;
	return *r || strcasecmp(text, "false") == 0 ? 0 : -1;
}

static bool
is_true(const struct aws_config *c, int value)
{
	return strcasecmp(c->values[value].text, "true") == 0;
}

static bool
is_word(const char *s, const char *const *words)
{
	while (*words != NULL && strcasecmp(*words, s) != 0)
		words++;
	return *words != NULL;
}

static int
check_ca_bundle(const struct aws_config *c, struct err *e)
{
	const struct value *v = &c->values[VALUE_CA_BUNDLE];
	int fd;

	if (v->text == NULL)
		return 0;
	fd = fsio_openat(AT_FDCWD, v->text, O_RDONLY | O_NONBLOCK | O_NOCTTY,
			 0);
	if (fd < 0)
		return err_stop(e, errno == EACCES ? EX_NOPERM : EX_CONFIG,
				"cannot read the ca_bundle %s (%s): %s",
				text_show(v->text), v->source,
				strerror(errno));
	fsio_close(&fd);
	return 0;
}

static int
check_values(struct aws_config *c, struct err *e)
{
	static const char *const modes[] = {
		"legacy", "standard", "adaptive", NULL
	};
	const char *attempts = c->values[VALUE_MAX_ATTEMPTS].text;
	const char *mode = c->values[VALUE_RETRY_MODE].text;
	bool unused;

	if (!is_word(c->values[VALUE_ADDRESSING_STYLE].text, style_words))
		return wrong(c, VALUE_ADDRESSING_STYLE,
			     "auto, path or virtual", e);
	for (int i = VALUE_FIPS; i <= VALUE_DUALSTACK; i++)
		if (aws_config_boolean(c->values[i].text, &unused) < 0)
			return wrong(c, i, "true or false", e);
	if (attempts != NULL && (strspn(attempts, "0123456789") !=
				 strlen(attempts) || strlen(attempts) > 2 ||
				 atoi(attempts) < 1))
		return wrong(c, VALUE_MAX_ATTEMPTS, "a number from 1 to 99",
			     e);
	if (!is_word(mode, modes))
		return wrong(c, VALUE_RETRY_MODE, "standard", e);
	if (strcasecmp(mode, "adaptive") == 0)
		c->warnings[c->warnings_n++] = arena_printf(&c->arena,
			"the retry_mode adaptive (%s) is done as standard",
			c->values[VALUE_RETRY_MODE].source);
	return check_ca_bundle(c, e);
}

/* A profile that somebody named must be there; the default need not. */
static int
check_profile(struct aws_config *c, struct err *e)
{
	const struct value *v = &c->values[VALUE_PROFILE];
	const struct value *config = &c->values[VALUE_CONFIG_FILE];
	const struct value *keys = &c->values[VALUE_CREDENTIALS_FILE];

	if (strcmp(v->source, "default") == 0 ||
	    aws_config_has_profile(c, v->text))
		return 0;
	/* Its keys are not asked for, and their file was not read. */
	if (c->key_file.n > 0 && !c->profile_asked)
		return 0;
	if (config->text == NULL && keys->text == NULL)
		return err_stop(e, EX_CONFIG, "cannot use the profile %s (%s): "
				"there are no shared files (%s/.aws/config, "
				"%s/.aws/credentials)", text_show(v->text),
				v->source, c->home ? c->home : "",
				c->home ? c->home : "");
	return err_stop(e, EX_CONFIG, "cannot use the profile %s (%s): it is "
			"not in %s%s%s", text_show(v->text), v->source,
			keys->text ? text_show(keys->text) : "",
			keys->text && config->text ? " nor in " : "",
			config->text ? text_show(config->text) : "");
}

/* The URL of a service out of the profile and its services section. */
static int
profile_url(struct aws_config *c, const char *service, struct value *v,
	    struct err *e)
{
	const char *profile = c->values[VALUE_PROFILE].text, *source, *url;
	const char *name = aws_config_get(c, profile, NULL, "services",
					  &source), *section;

	if (name != NULL) {
		section = arena_printf(&c->arena, "services %s", name);
		if (!ini_has(&c->config, section))
			return err_stop(e, EX_CONFIG, "cannot use the services "
					"%s (%s): there is no section [%s]",
					text_show(name), source,
					text_show(section));
		url = ini_get(&c->config, section, service, "endpoint_url");
		if (url != NULL && *url != '\0') {
			v->text = url;
			v->source = arena_printf(&c->arena, "[%s] of %s",
				text_show(section),
				text_show(c->values[VALUE_CONFIG_FILE].text));
			return 0;
		}
	}
	v->text = aws_config_get(c, profile, NULL, "endpoint_url", &v->source);
	return 0;
}

static int
find_url(struct aws_config *c, const struct service *service, struct err *e)
{
	struct value *v = &c->values[service->value];
	const char *ignored = aws_env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	bool ignore = false;

	v->source = "settings";
	if (service->value == VALUE_ENDPOINT_URL)
		v->text = c->settings.endpoint_url;
	if (v->text != NULL)
		return 0;
	if (ignored == NULL)
		ignored = aws_config_get(c, c->values[VALUE_PROFILE].text, NULL,
					 "ignore_configured_endpoint_urls",
					 NULL);
	if (ignored != NULL && aws_config_boolean(ignored, &ignore) < 0)
		return err_stop(e, EX_CONFIG, "cannot use ignore_configured_"
				"endpoint_urls %s: expected true or false",
				text_show(ignored));
	if (ignore)
		return 0;
	v->source = service->variable;
	v->text = aws_env(v->source);
	if (v->text == NULL) {
		v->source = "AWS_ENDPOINT_URL";
		v->text = aws_env(v->source);
	}
	return v->text ? 0 : profile_url(c, service->name, v, e);
}

int
aws_config_endpoint(const struct aws_config *c, const char *service,
		    const char *region, struct endpoint *r, struct err *e)
{
	const char *style = c->values[VALUE_ADDRESSING_STYLE].text;
	const struct service *s = services;
	struct endpoint_wish w = {
		.service = service,
		.region = region ? region : aws_config_region(c),
		.fips = is_true(c, VALUE_FIPS),
		.dualstack = is_true(c, VALUE_DUALSTACK),
		.allow_plain_http = is_true(c, VALUE_PLAIN_HTTP),
	};

	while (strcmp(s->name, service) != 0)
		s++;
	w.url = c->values[s->value].text;
	while (strcasecmp(style_words[w.style], style) != 0)
		w.style++;
	return endpoint_make(r, &w, e);
}

static char *
copy(struct aws_config *c, const char *s)
{
	return s && *s ? arena_strdup(&c->arena, s) : NULL;
}

static void
copy_settings(struct aws_config *c, const struct aws_settings *s)
{
	c->settings = *s;
	c->settings.region = copy(c, s->region);
	c->settings.profile = copy(c, s->profile);
	c->settings.endpoint_url = copy(c, s->endpoint_url);
	c->settings.ca_bundle = copy(c, s->ca_bundle);
	c->settings.key_file = copy(c, s->key_file);
	c->settings.proxy = copy(c, s->proxy);
	c->profile_asked = c->settings.profile != NULL;
}

struct aws_config *
aws_config_new(const struct aws_settings *s, struct err *e)
{
	struct aws_config *c = mem_alloc(sizeof(*c));
	struct endpoint unused;

	aws_env_take();
	copy_settings(c, s);
	decide(c, VALUE_PROFILE);
	if (aws_config_read_files(c, e) < 0 || check_profile(c, e) < 0)
		goto fail;
	for (int i = 0; i < VALUES; i++)
		if (c->values[i].text == NULL)
			decide(c, i);
	if (check_values(c, e) < 0)
		goto fail;
	/* Mistakes are found now, not by the first request. */
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (find_url(c, &services[i], e) < 0)
			goto fail;
	if (aws_config_endpoint(c, "s3", NULL, &unused, e) < 0)
		goto fail;
	return c;
fail:
	aws_config_free(c);
	return NULL;
}

void
aws_config_free(struct aws_config *c)
{
	if (c == NULL)
		return;
	ini_free(&c->key_file);
	ini_free(&c->credentials);
	ini_free(&c->config);
	arena_free(&c->arena);
	free(c);
}

bool
aws_config_value(const struct aws_config *c, size_t i,
		 struct aws_config_value *v)
{
	for (int k = 0; k < VALUES; k++)
		if (c->values[k].text != NULL && i-- == 0) {
			*v = (struct aws_config_value){
				rows[k].name, c->values[k].text,
				c->values[k].source,
			};
			return true;
		}
	return false;
}

const char *
aws_config_warning(const struct aws_config *c, size_t i)
{
	return i < c->warnings_n ? c->warnings[i] : NULL;
}

const char *
aws_config_region(const struct aws_config *c)
{
	return aws_config_region_known(c) ? c->values[VALUE_REGION].text :
		"us-east-1";
}

bool
aws_config_region_known(const struct aws_config *c)
{
	return c->values[VALUE_REGION].text != NULL;
}

void
aws_config_set_region(struct aws_config *c, const char *region,
		      const char *source)
{
	c->values[VALUE_REGION].text = arena_strdup(&c->arena, region);
	c->values[VALUE_REGION].source = arena_strdup(&c->arena, source);
}

const char *
aws_config_ca_bundle(const struct aws_config *c)
{
	return c->values[VALUE_CA_BUNDLE].text;
}

const char *
aws_config_proxy(const struct aws_config *c)
{
	return c->values[VALUE_PROXY].text;
}

int
aws_config_connections(const struct aws_config *c)
{
	return atoi(c->values[VALUE_CONNECTIONS].text);
}

int
aws_config_max_attempts(const struct aws_config *c)
{
	const char *text = c->values[VALUE_MAX_ATTEMPTS].text;

	return text ? atoi(text) : 0;
}
