#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "lib/base/text.h"
#include "sigv4.h"
#include "sigv4-private.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define BLANKS " \t"
#define HEX_SIZE (2 * HASH_SIZE + 1)

struct headers {
	struct sigv4_pair all[SIGV4_HEADERS_MAX];
	size_t n;
};

static void
must(int ok)
{
	if (ok != 1) {
		fputs("fallbackmx: OpenSSL has no HMAC with SHA-256\n", stderr);
		abort();
	}
}

static int
add_header(struct headers *h, const char *name, const char *value,
	   struct err *e)
{
	if (h->n == SIGV4_HEADERS_MAX)
		return err_set(e, ERR_PERM, "cannot sign a request: it has "
			       "more than %d headers", SIGV4_HEADERS_MAX);
	/* A line end would begin a header that nobody has signed. */
	for (const char *s = value; *s != '\0'; s++) {
		const unsigned char c = (unsigned char)*s;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return err_set(e, ERR_PERM, "cannot sign the header "
				       "%s: %s has a control byte",
				       text_show(name), text_show(value));
	}
	h->all[h->n++] = (struct sigv4_pair){ name, value };
	return 0;
}

static int
collect_headers(struct sigv4 *s, const struct sigv4_request *r,
		const struct aws_creds *c, struct headers *h, struct err *e)
{
	if (add_header(h, "host", r->host, e) < 0 ||
	    add_header(h, "x-amz-date", s->stamp, e) < 0)
		return -1;
	if (strcmp(r->service, "s3") == 0 &&
	    add_header(h, "x-amz-content-sha256", r->payload, e) < 0)
		return -1;
	if (c->token[0] != '\0' &&
	    add_header(h, "x-amz-security-token", c->token, e) < 0)
		return -1;
	for (size_t i = 0; i < r->headers_n; i++)
		if (add_header(h, r->headers[i].name, r->headers[i].value,
			       e) < 0)
			return -1;
	return 0;
}

static void
add_line(struct sigv4_signed *out, const char *name, const char *value)
{
	const bool empty = value[strspn(value, BLANKS)] == '\0';

	sigv4_add(&out->lines, name);
	if (empty) {
		buf_add(&out->lines, ";", 2);
	} else {
		sigv4_add(&out->lines, ": ");
		buf_add(&out->lines, value, strlen(value) + 1);
	}
	out->lines_n++;
}

static void
add_lower(struct buf *b, const char *text)
{
	char lower[128];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		const char c = *text;

		lower[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (n == sizeof(lower)) {
			buf_add(b, lower, n);
			n = 0;
		}
	}
	buf_add(b, lower, n);
}

/* Without blanks at its ends, and one blank for several. */
static void
add_value(struct buf *b, const char *s)
{
	bool first = true;
	size_t n;

	for (s += strspn(s, BLANKS); (n = strcspn(s, BLANKS)) > 0;
	     s += strspn(s, BLANKS)) {
		if (!first)
			buf_add(b, " ", 1);
		first = false;
		buf_add(b, s, n);
		s += n;
	}
}

/* Sorted by name; values of one name stay in order and are joined. The names
 * go to the scratch, for the line of the signature. */
static void
add_headers(struct sigv4 *s, const struct headers *h, struct buf *b)
{
	const struct sigv4_pair *sorted[SIGV4_HEADERS_MAX];

	for (size_t i = 0; i < h->n; i++) {
		size_t k = i;

		for (; k > 0 && strcasecmp(sorted[k - 1]->name,
					   h->all[i].name) > 0; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = &h->all[i];
	}
	sigv4_ready(&s->scratch);
	for (size_t i = 0; i < h->n; i++) {
		const struct sigv4_pair *p = sorted[i];

		if (i > 0 && strcasecmp(p->name, sorted[i - 1]->name) == 0) {
			buf_add(b, ",", 1);
			add_value(b, p->value);
			continue;
		}
		if (i > 0) {
			buf_add(b, "\n", 1);
			buf_add(&s->scratch, ";", 1);
		}
		add_lower(b, p->name);
		add_lower(&s->scratch, p->name);
		buf_add(b, ":", 1);
		add_value(b, p->value);
	}
	buf_add(b, "\n\n", 2);
	buf_add(b, s->scratch.data, s->scratch.len);
	buf_add(b, "\n", 1);
}

static void
make_canonical(struct sigv4 *s, const struct sigv4_request *r,
	       const struct buf *target, size_t path_n, const struct headers *h)
{
	struct buf *b = &s->canonical;

	sigv4_ready(b);
	sigv4_add(b, r->method);
	buf_add(b, "\n", 1);
	if (sigv4_rule(r) != SIGV4_PATH_TWICE) {
		buf_add(b, target->data, path_n);
	} else {
		sigv4_ready(&s->scratch);
		buf_add(&s->scratch, target->data, path_n);
		sigv4_encode(b, s->scratch.data, true);
	}
	buf_add(b, "\n", 1);
	if (target->len > path_n)
		sigv4_add(b, target->data + path_n + 1);
	buf_add(b, "\n", 1);
	add_headers(s, h, b);
	sigv4_add(b, r->payload);
}

static void
hmac(struct sigv4 *s, const void *key, size_t key_n, const char *text,
     uint8_t out[HASH_SIZE])
{
	size_t n = 0;

	must(EVP_MAC_init(s->mac, key, key_n, NULL));
	must(EVP_MAC_update(s->mac, (const unsigned char *)text,
			    strlen(text)));
	must(EVP_MAC_final(s->mac, out, &n, HASH_SIZE));
}

static void
begin_mac(struct sigv4 *s)
{
	static char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac;

	if (s->mac != NULL)
		return;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	must(mac != NULL);
	s->mac = EVP_MAC_CTX_new(mac);
	must(s->mac != NULL);
	must(EVP_MAC_CTX_set_params(s->mac, params));
	EVP_MAC_free(mac);
}

static void
keep(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
}

/* Four HMACs, the same for a day. */
static void
make_key(struct sigv4 *s, const struct sigv4_request *r,
	 const struct aws_creds *c)
{
	char start[4 + sizeof(c->secret_key)];

	if (strncmp(s->day, s->stamp, 8) == 0 &&
	    strcmp(s->secret, c->secret_key) == 0 &&
	    strcmp(s->region, r->region) == 0 &&
	    strcmp(s->service, r->service) == 0)
		return;
	begin_mac(s);
	memcpy(s->day, s->stamp, 8);
	keep(s->secret, sizeof(s->secret), c->secret_key);
	keep(s->region, sizeof(s->region), r->region);
	keep(s->service, sizeof(s->service), r->service);
	snprintf(start, sizeof(start), "AWS4%s", c->secret_key);
	hmac(s, start, strlen(start), s->day, s->key);
	hmac(s, s->key, HASH_SIZE, r->region, s->key);
	hmac(s, s->key, HASH_SIZE, r->service, s->key);
	hmac(s, s->key, HASH_SIZE, "aws4_request", s->key);
	OPENSSL_cleanse(start, sizeof(start));
}

static int
make_stamp(struct sigv4 *s, int64_t now, struct err *e)
{
	const time_t t = (time_t)now;
	struct tm tm;

	if (s->stamp[0] != '\0' && s->second == now)
		return 0;
	s->second = now;
	if (now >= 0 && gmtime_r(&t, &tm) != NULL &&
	    strftime(s->stamp, sizeof(s->stamp), "%Y%m%dT%H%M%SZ", &tm) == 16)
		return 0;
	s->stamp[0] = '\0';
	return err_set(e, ERR_TEMP, "cannot sign a request: the clock says "
		       "%lld seconds since 1970", (long long)now);
}

/* What is signed, at last: the time, the scope, and the request's hash. */
static void
add_authorization(struct sigv4 *s, const struct sigv4_request *r,
		  const struct aws_creds *c, struct sigv4_signed *out)
{
	char hex[HEX_SIZE];
	uint8_t digest[HASH_SIZE];

	hash_begin(&s->hash);
	hash_add(&s->hash, s->canonical.data, s->canonical.len);
	hash_end(&s->hash, digest);
	text_hex(hex, digest, HASH_SIZE);
	sigv4_ready(&s->to_sign);
	buf_printf(&s->to_sign,
		   ALGORITHM "\n%s\n%.8s/%s/%s/aws4_request\n%s", s->stamp,
		   s->stamp, r->region, r->service, hex);
	make_key(s, r, c);
	hmac(s, s->key, HASH_SIZE, s->to_sign.data, digest);
	text_hex(hex, digest, HASH_SIZE);
	buf_printf(&out->lines, "Authorization: " ALGORITHM " Credential=%s/"
		   "%.8s/%s/%s/aws4_request, SignedHeaders=", c->access_key,
		   s->stamp, r->region, r->service);
	buf_add(&out->lines, s->scratch.data, s->scratch.len);
	sigv4_add(&out->lines, ", Signature=");
	buf_add(&out->lines, hex, sizeof(hex));
	out->lines_n++;
}

int
sigv4_sign(struct sigv4 *s, const struct sigv4_request *r,
	   const struct aws_creds *c, int64_t now, struct sigv4_signed *out,
	   struct err *e)
{
	struct headers h = { .n = 0 };
	size_t path_n = 0;

	if (make_stamp(s, now, e) < 0 ||
	    sigv4_target(s, r, &out->target, &path_n, e) < 0 ||
	    collect_headers(s, r, c, &h, e) < 0)
		return -1;
	sigv4_ready(&out->lines);
	out->lines_n = 0;
	for (size_t i = 1; i < h.n; i++)
		add_line(out, h.all[i].name, h.all[i].value);
	make_canonical(s, r, &out->target, path_n, &h);
	add_authorization(s, r, c, out);
	if (s->canonical.cut || s->to_sign.cut || out->lines.cut)
		return err_set(e, ERR_PERM, "cannot sign a request: its "
			       "headers have more than %zu bytes",
			       SIGV4_TEXT_MAX);
	return 0;
}

static void
wipe(struct buf *b)
{
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->room);
	buf_free(b);
}

void
sigv4_signed_free(struct sigv4_signed *out)
{
	buf_free(&out->target);
	wipe(&out->lines);
	out->lines_n = 0;
}

void
sigv4_free(struct sigv4 *s)
{
	hash_free(&s->hash);
	EVP_MAC_CTX_free(s->mac);
	free(s->parts);
	wipe(&s->canonical);
	wipe(&s->to_sign);
	buf_free(&s->scratch);
	OPENSSL_cleanse(s, sizeof(*s));
}
