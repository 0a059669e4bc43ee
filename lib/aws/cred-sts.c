#include <config.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <expat.h>

#include "aws-error.h"
#include "cred-sts.h"
#include "lib/base/text.h"
#include "secret.h"
#include "sigv4.h"

#define SECONDS 20
#define ATTEMPTS 3
#define SKEW 240		/* seconds that AWS surely tolerates */
#define DEPTH_MAX 16
#define TYPE "application/x-www-form-urlencoded; charset=utf-8"

/* Takes the text of one element of each name. */
struct field {
	const char *name;
	char *text;
	size_t size;
};

struct reading {
	XML_Parser parser;
	struct field *fields;
	size_t n, depth;
	struct field *field;	/* that takes the text; NULL: none */
	bool wrong;
};

/* What expat copied is wiped, too. */
static void
free_wiped(void *p)
{
	if (p != NULL)
		secret_wipe(p, malloc_usable_size(p));
	free(p);
}

static void *
grow_wiped(void *p, size_t n)
{
	void *more = malloc(n);
	size_t had = p ? malloc_usable_size(p) : 0;

	if (more == NULL)
		return NULL;
	if (p != NULL)
		memcpy(more, p, had < n ? had : n);
	free_wiped(p);
	return more;
}

static void
stop(struct reading *r)
{
	r->wrong = true;
	XML_StopParser(r->parser, XML_FALSE);
}

static void
begin_element(void *arg, const char *name, const char **attributes)
{
	struct reading *r = arg;

	(void)attributes;
	r->field = NULL;
	if (++r->depth > DEPTH_MAX) {
		stop(r);
		return;
	}
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->fields[i].name, name) == 0 &&
		    r->fields[i].text[0] == '\0')
			r->field = &r->fields[i];
}

static void
end_element(void *arg, const char *name)
{
	struct reading *r = arg;

	(void)name;
	r->depth--;
	r->field = NULL;
}

static void
take_text(void *arg, const char *text, int len)
{
	struct reading *r = arg;
	const size_t n = (size_t)len;
	size_t had;

	if (r->field == NULL)
		return;
	had = strlen(r->field->text);
	if (had + n >= r->field->size) {
		stop(r);
		return;
	}
	memcpy(r->field->text + had, text, n);
	r->field->text[had + n] = '\0';
}

static void
refuse_doctype(void *arg, const char *name, const char *system,
	       const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(arg);
}

static int
read_fields(const char *text, size_t n, struct field *fields, size_t fields_n)
{
	static const XML_Memory_Handling_Suite memory = {
		malloc, grow_wiped, free_wiped,
	};
	struct reading r = { .fields = fields, .n = fields_n };
	bool whole;

	r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
	if (r.parser == NULL || n > CRED_ANSWER_MAX)
		abort();
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, begin_element, end_element);
	XML_SetCharacterDataHandler(r.parser, take_text);
	XML_SetStartDoctypeDeclHandler(r.parser, refuse_doctype);
	whole = XML_Parse(r.parser, n > 0 ? text : "", (int)n, XML_TRUE) ==
		XML_STATUS_OK;
	XML_ParserFree(r.parser);
	return whole && !r.wrong ? 0 : -1;
}

int
cred_sts_read(const char *text, size_t n, const char *from,
	      struct aws_creds *out, struct err *e)
{
	char key[sizeof(out->access_key)] = "", end[64] = "";
	char secret[sizeof(out->secret_key)] = "";
	char *token = mem_alloc(sizeof(out->token));
	struct field fields[] = {
		{ "AccessKeyId", key, sizeof(key) },
		{ "SecretAccessKey", secret, sizeof(secret) },
		{ "SessionToken", token, sizeof(out->token) },
		{ "Expiration", end, sizeof(end) },
	};
	int ret = read_fields(text, n, fields, 4);

	if (ret < 0)
		err_set(e, ERR_TEMP, "cannot use what STS answers for %s: "
			"expected its XML", from);
	else if (cred_fill(out, key, secret, token, from, e) != CRED_FOUND)
		ret = -1;
	else if ((out->expires = cred_time(end)) <= 0)
		ret = err_set(e, ERR_TEMP, "cannot use what STS answers for "
			      "%s: there is no time of its end", from);
	if (ret < 0)
		secret_wipe(out, sizeof(*out));
	secret_wipe(secret, sizeof(secret));
	secret_wipe(token, sizeof(out->token));
	free(token);
	return ret;
}

static int
say_refused(const struct cred *c, const struct http_answer *a,
	    const char *host, struct err *e)
{
	const char *date = a->headers.data ?
		http_header(&a->headers, "Date") : NULL;
	const int64_t now = date ? http_date(date) : -1;
	const int64_t off = now < 0 ? 0 : c->now - now;
	struct aws_error error;

	aws_error_read(&error, a->body.data ? a->body.data : "", a->body.len);
	err_set(e, a->status >= 500 || a->status == 429 ||
		strncmp(error.code, "Throttl", 7) == 0 ? ERR_TEMP : ERR_STOP,
		"%s answers %d%s%s%s%s", host, a->status,
		error.code[0] ? " " : "", error.code,
		error.message[0] ? ": " : "", text_show(error.message));
	if (e->kind == ERR_STOP)
		e->code = EX_NOPERM;
	if (off > SKEW || off < -SKEW)
		err_prefix(e, "the clock of this machine is %lld minutes %s",
			   (long long)(off < 0 ? -off : off) / 60,
			   off < 0 ? "behind" : "ahead");
	return -1;
}

/* One request. lines: NULL-terminated. */
static int
post(const struct cred *c, const struct endpoint_bucket *at,
     const char *const *lines, const struct buf *body, struct http_answer *a,
     struct err *e)
{
	const struct http_options o = {
		.ca_file = aws_config_ca_bundle(c->config),
		.proxy = aws_config_proxy(c->config),
	};
	char url[720];

	snprintf(url, sizeof(url), "%s%s/", at->origin, at->path);
	if (http_fetch(&o, "POST", url, lines, body->data, body->len,
		       cred_seconds(c, SECONDS), a, e) < 0)
		return -1;
	if (a->body.len > CRED_ANSWER_MAX)
		return err_set(e, ERR_TEMP, "%s answers more than %zu bytes",
			       at->host, CRED_ANSWER_MAX);
	return a->status == 200 ? 0 : say_refused(c, a, at->host, e);
}

static int
sign(const struct cred *c, const struct endpoint *r,
     const struct endpoint_bucket *at, const struct aws_creds *signer,
     const struct buf *body, struct sigv4_signed *out, struct err *e)
{
	const struct sigv4_pair type = { "Content-Type", TYPE };
	char path[sizeof(at->path) + 1], hex[2 * HASH_SIZE + 1];
	struct sigv4_request request = {
		.method = "POST", .host = at->host, .path = path,
		.headers = &type, .headers_n = 1, .payload = hex,
		.region = r->region, .service = "sts",
	};
	uint8_t digest[HASH_SIZE];
	struct hash hash = { 0 };
	struct sigv4 s = { 0 };
	int ret;

	snprintf(path, sizeof(path), "%s/", at->path);
	hash_begin(&hash);
	hash_add(&hash, body->data, body->len);
	hash_end(&hash, digest);
	hash_free(&hash);
	text_hex(hex, digest, HASH_SIZE);
	ret = sigv4_sign(&s, &request, signer, c->now, out, e);
	sigv4_free(&s);
	return ret;
}

/* Several attempts, unless valid credentials make it hurry. */
static int
send_form(struct cred *c, const struct aws_creds *signer,
	  const struct buf *body, struct http_answer *a, struct err *e)
{
	const char *lines[SIGV4_HEADERS_MAX + 1] = { "Content-Type: " TYPE };
	struct sigv4_signed out = { .lines_n = 0 };
	struct endpoint_bucket at;
	struct endpoint r;
	const char *line;
	int ret = -1;

	if (aws_config_endpoint(c->config, "sts", NULL, &r, e) < 0)
		return -1;
	endpoint_bucket(&r, NULL, &at);
	for (int i = 1; i <= ATTEMPTS; i++) {
		const struct timespec nap = { .tv_nsec = 300000000L * i };

		if (signer != NULL) {
			if (sign(c, &r, &at, signer, body, &out, e) < 0)
				break;
			line = out.lines.data;
			for (size_t k = 0; k < out.lines_n; k++) {
				lines[k] = line;
				line += strlen(line) + 1;
			}
			lines[out.lines_n] = NULL;
		}
		cred_answer_free(a);
		ret = post(c, &at, lines, body, a, e);
		if (ret == 0 || e->kind != ERR_TEMP || i == ATTEMPTS ||
		    cred_seconds(c, SECONDS) < SECONDS)
			break;
		nanosleep(&nap, NULL);
	}
	sigv4_signed_free(&out);
	return ret;
}

static void
make_form(struct buf *body, const struct sigv4_pair *pairs, size_t n)
{
	buf_init(body, CRED_ANSWER_MAX);
	buf_printf(body, "Version=2011-06-15");
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].value == NULL)
			continue;
		buf_printf(body, "&%s=", pairs[i].name);
		sigv4_encode(body, pairs[i].value, false);
	}
}

static int
call(struct cred *c, const struct sigv4_pair *pairs, size_t n,
     const struct aws_creds *signer, struct http_answer *a, struct err *e)
{
	struct buf body;
	int ret;

	make_form(&body, pairs, n);
	*a = (struct http_answer){ .status = 0 };
	ret = body.cut ? err_stop(e, EX_CONFIG, "the request is too long") :
		send_form(c, signer, &body, a, e);
	secret_wipe(body.data, body.room);
	buf_free(&body);
	return ret;
}

enum cred_result
cred_sts_role(struct cred *c, const struct sigv4_pair *pairs, size_t n,
	      const struct aws_creds *signer, const char *role,
	      struct aws_creds *out, struct err *e)
{
	enum cred_result r = CRED_FOUND;
	struct http_answer a;

	if (call(c, pairs, n, signer, &a, e) < 0) {
		err_prefix(e, "cannot assume the %s", role);
		r = CRED_FAILED;
	} else if (cred_sts_read(a.body.data ? a.body.data : "", a.body.len,
				 role, out, e) < 0) {
		r = CRED_FAILED;
	}
	cred_answer_free(&a);
	return r;
}

int
cred_identity(struct cred *c, int64_t now, char *arn, size_t size,
	      struct err *e)
{
	static const struct sigv4_pair action = {
		"Action", "GetCallerIdentity"
	};
	struct field field = { "Arn", arn, size };
	struct aws_creds creds;
	struct http_answer a;
	int ret;

	arn[0] = '\0';
	if (cred_get(c, now, &creds, e) < 0)
		return -1;
	c->now = now;
	cred_begin(c, SECONDS);
	ret = call(c, &action, 1, &creds, &a, e);
	if (ret < 0)
		err_prefix(e, "cannot ask STS who we are");
	else if (read_fields(a.body.data ? a.body.data : "", a.body.len,
			     &field, 1) < 0 || arn[0] == '\0')
		ret = err_set(e, ERR_TEMP, "cannot use what STS answers: "
			      "expected its XML");
	cred_answer_free(&a);
	secret_wipe(&creds, sizeof(creds));
	return ret;
}
