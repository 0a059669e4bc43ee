#include <config.h>

#include <string.h>
#include <sysexits.h>

#include "lib/base/text.h"
#include "settings-private.h"

struct aws_settings *
settings_new_aws(struct arena *a)
{
	struct aws_settings *aws = arena_alloc(a, sizeof(*aws));

	aws->connections = AWS_CONNECTIONS;
	return aws;
}

/* A proxy is a host like an endpoint, without a path. */
static int
check_proxy(const char *proxy, struct err *e)
{
	const struct endpoint_wish w = {
		.service = "s3", .region = "r", .url = proxy,
		.allow_plain_http = true,
	};
	struct endpoint r;

	if (strchr(proxy, '@') != NULL)
		return err_stop(e, EX_CONFIG, "cannot use the proxy: it has a "
				"user name or password (\"@\"); this file is "
				"for all to read");
	if (endpoint_make(&r, &w, e) < 0 || r.base[0] != '\0')
		return err_stop(e, EX_CONFIG, "cannot use the proxy %s: "
				"expected http://HOST:PORT or "
				"https://HOST:PORT", text_show(proxy));
	return 0;
}

int
settings_check_aws(const struct aws_settings *aws, struct err *e)
{
	const char *path = aws->key_file;
	const struct endpoint_wish w = {
		.service = "s3", .url = aws->endpoint_url,
		.region = aws->region ? aws->region : "us-east-1",
		.fips = aws->use_fips_endpoint,
		.dualstack = aws->use_dualstack_endpoint,
		.allow_plain_http = aws->allow_plain_http,
		.style = (enum endpoint_style)aws->addressing_style,
	};
	struct endpoint unused;

	/* Without a URL the environment may give one, and any region. */
	if ((aws->endpoint_url != NULL || aws->region != NULL) &&
	    endpoint_make(&unused, &w, e) < 0)
		return -1;
	if (aws->profile != NULL && *aws->profile == '\0')
		return err_stop(e, EX_CONFIG, "cannot use the profile: "
				"expected the name of one");
	if (aws->ca_bundle != NULL && *aws->ca_bundle != '/')
		return err_stop(e, EX_CONFIG, "cannot use the ca_bundle %s: "
				"expected an absolute path",
				text_show(aws->ca_bundle));
	if (path != NULL && *path != '/' &&
	    (strncmp(path, "credential:", 11) != 0 || path[11] == '\0'))
		return err_stop(e, EX_CONFIG, "cannot use the key_file %s: "
				"expected an absolute path, or "
				"credential:NAME", text_show(path));
	if (path != NULL && aws->profile != NULL)
		return err_stop(e, EX_CONFIG, "cannot use key_file and profile "
				"together: each says whose keys to use");
	return aws->proxy ? check_proxy(aws->proxy, e) : 0;
}

/* The option's name, for a source that has no use for it. */
static const char *
first_said(const struct aws_settings *given)
{
	return given->region ? "--region" :
		given->profile ? "--profile" :
		given->endpoint_url ? "--endpoint-url" :
		given->ca_bundle ? "--ca-bundle" :
		given->connections ? "--connections" : NULL;
}

static void
override(struct aws_settings *aws, const struct aws_settings *given)
{
	if (given->region != NULL)
		aws->region = given->region;
	if (given->endpoint_url != NULL)
		aws->endpoint_url = given->endpoint_url;
	if (given->ca_bundle != NULL)
		aws->ca_bundle = given->ca_bundle;
	if (given->connections != 0)
		aws->connections = given->connections;
	if (given->profile != NULL) {
		aws->profile = given->profile;
		aws->key_file = NULL;
	}
}

int
settings_use_aws(struct settings *s, const struct aws_settings *given,
		 struct err *e)
{
	const char *option = first_said(given);
	size_t used = 0;

	if (option == NULL)
		return 0;
	for (size_t i = 0; i < s->sources_n; i++) {
		if (s->sources[i].aws == NULL)
			continue;
		override(s->sources[i].aws, given);
		if (settings_check_aws(s->sources[i].aws, e) < 0) {
			e->code = EX_USAGE;
			return -1;
		}
		used++;
	}
	if (used > 0)
		return 0;
	return err_stop(e, EX_USAGE, "cannot use %s: no source is in S3",
			option);
}

void
settings_open_aws(struct settings *s)
{
	for (size_t i = 0; i < s->sources_n; i++) {
		struct source_settings *src = &s->sources[i];
		struct err e;

		if (src->bucket == NULL)
			continue;
		src->aws_config = aws_config_new(src->aws, &e);
		if (src->aws_config != NULL)
			continue;
		src->aws_trouble = arena_alloc(&s->arena, sizeof(e));
		*src->aws_trouble = e;
	}
}
