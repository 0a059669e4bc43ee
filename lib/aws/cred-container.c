#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "aws-env.h"
#include "cred-private.h"
#include "lib/base/text.h"
#include "secret.h"

#define SECONDS 2
#define AUTHORIZATION "Authorization: "

/* ECS; EKS Pod Identity (AWS SDKs and Tools Reference Guide, "Container
 * credential provider"). Plain http goes nowhere else but to ourselves. */
static const char ecs[] = "169.254.170.2";
static const char *const plain[] = {
	"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", NULL
};

static bool
is_path(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}#", *p))
			return false;
	return *s == '/' || *s == '?' || *s == '\0';
}

static int
wrong_uri(const char *name, const char *uri, const char *expected,
	  struct err *e)
{
	return err_stop(e, EX_CONFIG, "cannot use %s %s: expected %s", name,
			text_show(uri), expected);
}

static int
check_full(const char *uri, char *host, size_t size, struct err *e)
{
	static const char name[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
	const char *begin = strstr(uri, "://"), *path;
	struct endpoint_wish w = {
		.service = "s3", .region = "r", .allow_plain_http = true,
	};
	char origin[320];
	struct endpoint r;
	size_t n, i = 0;

	if (begin == NULL)
		return wrong_uri(name, uri, "http://HOST/PATH", e);
	path = begin + 3 + strcspn(begin + 3, "/?#");
	n = (size_t)(path - uri);
	if (n >= sizeof(origin) || !is_path(path))
		return wrong_uri(name, uri, "http://HOST/PATH", e);
	snprintf(origin, sizeof(origin), "%.*s", (int)n, uri);
	w.url = origin;
	if (endpoint_make(&r, &w, e) < 0)
		return err_prefix(e, "%s", name);
	while (plain[i] != NULL && strcmp(plain[i], r.host) != 0)
		i++;
	if (plain[i] == NULL && !r.tls && !endpoint_is_loopback(&r))
		return wrong_uri(name, uri, "https, or a host of the container "
				 "service or of this machine", e);
	snprintf(host, size, "%s", r.host);
	return 0;
}

/* The address to ask; NONE when this is no container. */
static enum cred_result
find_url(char *url, size_t size, char *host, size_t host_size, struct err *e)
{
	static const char name[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
	const char *relative = aws_env(name);
	const char *full = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (relative != NULL) {
		if (*relative != '/' || !is_path(relative) ||
		    strlen(relative) > 1000) {
			wrong_uri(name, relative, "/PATH", e);
			return CRED_FAILED;
		}
		snprintf(host, host_size, "%s", ecs);
		snprintf(url, size, "http://%s%s", ecs, relative);
		return CRED_FOUND;
	}
	if (full == NULL)
		return CRED_NONE;
	if (strlen(full) >= size) {
		wrong_uri("AWS_CONTAINER_CREDENTIALS_FULL_URI", full,
			  "something shorter", e);
		return CRED_FAILED;
	}
	snprintf(url, size, "%s", full);
	return check_full(full, host, host_size, e) < 0 ? CRED_FAILED :
		CRED_FOUND;
}

/* The header line, "" for none. The file is read each time: it is written anew
 * when its token ends. */
static int
find_token(char *line, size_t size, struct err *e)
{
	const char *path = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct secret file = { .data = NULL };
	int ret = 0;

	line[0] = '\0';
	if (path != NULL) {
		if (secret_read(&file, path, CRED_ANSWER_MAX / 2, e) < 0)
			return -1;
		if (file.data == NULL)
			return err_stop(e, EX_CONFIG, "cannot read %s (AWS_"
					"CONTAINER_AUTHORIZATION_TOKEN_FILE): "
					"there is none", text_show(path));
		token = file.data;
	}
	if (token != NULL && (strpbrk(token, "\r\n") != NULL ||
			      strlen(token) + sizeof(AUTHORIZATION) > size))
		ret = err_stop(e, EX_CONFIG, "cannot use the token of AWS_"
			       "CONTAINER_AUTHORIZATION_TOKEN%s: it has line "
			       "ends or is too long", path ? "_FILE" : "");
	else if (token != NULL)
		snprintf(line, size, AUTHORIZATION "%s", token);
	secret_free(&file);
	return ret;
}

static enum cred_result
ask(struct cred *c, const char *url, const char *line, struct aws_creds *out,
    struct err *e)
{
	const char *lines[] = { line, NULL };
	enum cred_result r = CRED_FAILED;
	struct http_answer a;

	if (cred_fetch("GET", url, *line ? lines : NULL,
		       cred_seconds(c, SECONDS), &a, e) < 0)
		err_prefix(e, "cannot use %s", c->source);
	else
		r = cred_answered(&a, c->source, e);
	if (r == CRED_FOUND &&
	    cred_json(CRED_JSON_CONTAINER, a.body.data ? a.body.data : "",
		      a.body.len, c->source, out, e) < 0)
		r = CRED_FAILED;
	cred_answer_free(&a);
	return r;
}

enum cred_result
cred_container(struct cred *c, const char *profile, struct aws_creds *out,
	       struct err *e)
{
	char url[1100], host[256], *line;
	enum cred_result r = find_url(url, sizeof(url), host, sizeof(host), e);

	(void)profile;
	if (r != CRED_FOUND)
		return r;
	snprintf(c->source, sizeof(c->source),
		 "the container's credentials service at %s", host);
	line = mem_alloc(CRED_ANSWER_MAX);
	r = find_token(line, CRED_ANSWER_MAX, e) < 0 ? CRED_FAILED :
		ask(c, url, line, out, e);
	secret_wipe(line, CRED_ANSWER_MAX);
	free(line);
	return r;
}
