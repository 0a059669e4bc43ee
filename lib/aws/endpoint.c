#include <config.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "endpoint.h"
#include "lib/base/text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* botocore's partitions.json; the region's prefix decides. */
struct partition {
	const char *prefix, *name, *suffix, *dualstack;
};

static const struct partition partitions[] = {
	{ "cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
	{ "eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu" },
	{ "us-gov-", "aws-us-gov", "amazonaws.com", "api.aws" },
	{ "us-iso-", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov" },
	{ "us-isob-", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud" },
	{ "eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
	{ "us-isof-", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
	{ "", "aws", "amazonaws.com", "api.aws" },
};

static const struct partition *
find_partition(const char *region)
{
	const struct partition *p = partitions;

	while (strncmp(region, p->prefix, strlen(p->prefix)) != 0)
		p++;
	return p;
}

/* These have no -fips name in GovCloud: the plain name is FIPS (botocore's
 * endpoint rules). */
static bool
fips_by_itself(const struct endpoint_wish *w, const struct partition *p)
{
	return strcmp(p->name, "aws-us-gov") == 0 && !w->dualstack &&
	       (strcmp(w->service, "sqs") == 0 ||
		strcmp(w->service, "ssm") == 0 ||
		strcmp(w->service, "sts") == 0);
}

static int
make_aws(struct endpoint *r, const struct endpoint_wish *w, struct err *e)
{
	const struct partition *p = find_partition(w->region);
	const bool s3 = strcmp(w->service, "s3") == 0;
	const char *fips = "";
	const size_t n = strlen(w->region);

	/* It becomes a label of the host name. */
	if (n == 0 || strspn(w->region, LOWER DIGITS "-") != n ||
	    w->region[0] == '-' || w->region[n - 1] == '-')
		return err_stop(e, EX_CONFIG, "cannot use the region %s: "
				"expected one of AWS's, as eu-west-1 (for "
				"another server set endpoint_url)",
				text_show(w->region));
	if (w->fips && s3 && strcmp(p->name, "aws-cn") == 0)
		return err_stop(e, EX_CONFIG, "cannot use use_fips_endpoint in "
				"the region %s: S3 has none there", w->region);
	if (w->fips && !fips_by_itself(w, p))
		fips = "-fips";
	if (s3)
		snprintf(r->host, sizeof(r->host), "s3%s.%s%s.%s", fips,
			 w->dualstack ? "dualstack." : "", w->region,
			 p->suffix);
	else
		snprintf(r->host, sizeof(r->host), "%s%s.%s.%s", w->service,
			 fips, w->region,
			 w->dualstack ? p->dualstack : p->suffix);
	r->tls = r->aws = true;
	snprintf(r->place, sizeof(r->place), "%s", p->name);
	return 0;
}

static int
wrong_url(const struct endpoint_wish *w, const char *why, struct err *e)
{
	return err_stop(e, EX_CONFIG, "cannot use the endpoint %s: %s",
			text_show(w->url), why);
}

static bool
is_name(const char *host, size_t n)
{
	/* An underscore is in no DNS name and in many container networks. */
	return n > 0 && strspn(host, LOWER UPPER DIGITS "-._") >= n &&
	       host[0] != '.' && host[0] != '-' && !memmem(host, n, "..", 2);
}

static bool
is_address(const struct endpoint *r)
{
	unsigned char raw[16];

	return r->host[0] == '[' || inet_pton(AF_INET, r->host, raw) == 1;
}

bool
endpoint_is_loopback(const struct endpoint *r)
{
	const char *dot = strchr(r->host, '.');
	unsigned char raw[16];

	if (inet_pton(AF_INET, r->host, raw) == 1)
		return raw[0] == 127;
	while (dot != NULL && strcmp(dot, ".localhost") != 0)
		dot = strchr(dot + 1, '.');
	/* RFC 6761, 6.3: these names never leave the machine. */
	return strcmp(r->host, "[::1]") == 0 || dot != NULL ||
	       strcmp(r->host, "localhost") == 0;
}

/* host[:port] as it stands in a URL, n bytes. */
static int
take_authority(struct endpoint *r, const struct endpoint_wish *w,
	       const char *s, size_t n, struct err *e)
{
	const char *end = s + n, *colon;
	unsigned char raw[16];
	char text[64];
	size_t host_n;

	if (memchr(s, '@', n) != NULL)
		return err_stop(e, EX_CONFIG, "cannot use the endpoint: it has "
				"a user name or password (\"@\"); credentials "
				"go into key_file or a profile");
	if (*s == '[') {
		const char *close = memchr(s, ']', n);

		host_n = close ? (size_t)(close - s) + 1 : 0;
		if (host_n < 3 || host_n - 2 >= sizeof(text))
			return wrong_url(w, "expected an IPv6 address in "
					 "brackets, as http://[::1]:9000", e);
		snprintf(text, sizeof(text), "%.*s", (int)(host_n - 2), s + 1);
		if (inet_pton(AF_INET6, text, raw) != 1 ||
		    inet_ntop(AF_INET6, raw, text, sizeof(text)) == NULL)
			return wrong_url(w, "expected an IPv6 address between "
					 "the brackets", e);
		snprintf(r->host, sizeof(r->host), "[%s]", text);
	} else {
		colon = memchr(s, ':', n);
		host_n = colon ? (size_t)(colon - s) : n;
		if (!is_name(s, host_n) || host_n > 253)
			return wrong_url(w, "expected http(s)://HOST[:PORT]",
					 e);
		for (size_t i = 0; i < host_n; i++)
			r->host[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ?
					    s[i] | 0x20 : s[i]);
		r->host[host_n] = '\0';
	}
	s += host_n;
	if (s == end)
		return 0;
	n = (size_t)(end - s) - 1;
	if (*s != ':' || n == 0 || n > 5 || strspn(s + 1, DIGITS) < n ||
	    (r->port = atoi(s + 1)) < 1 || r->port > 65535)
		return wrong_url(w, "expected a port from 1 to 65535", e);
	return 0;
}

/* Path of a server that does not sit at the root of its host. */
static int
take_base(struct endpoint *r, const struct endpoint_wish *w, const char *s,
	  struct err *e)
{
	size_t n = strlen(s);

	while (n > 0 && s[n - 1] == '/')
		n--;
	if (n >= sizeof(r->base))
		return wrong_url(w, "its path is too long", e);
	/* A percent would have to be decoded here and encoded again. */
	if (strspn(s, LOWER UPPER DIGITS "-._~/") < n ||
	    memmem(s, n, "//", 2) || memmem(s, n, "/.", 2))
		return wrong_url(w, "expected a path of letters, digits and "
				 "\"-_~\", without query", e);
	memcpy(r->base, s, n);
	r->base[n] = '\0';
	return 0;
}

static int
make_custom(struct endpoint *r, const struct endpoint_wish *w, struct err *e)
{
	const char *s = w->url;
	size_t n;

	r->tls = strncasecmp(s, "https://", 8) == 0;
	if (!r->tls && strncasecmp(s, "http://", 7) != 0)
		return wrong_url(w, "expected https://HOST or http://HOST", e);
	s += r->tls ? 8 : 7;
	n = strcspn(s, "/?#");
	if (s[n] == '?' || s[n] == '#')
		return wrong_url(w, "expected no \"?\" and no \"#\"", e);
	if (take_authority(r, w, s, n, e) < 0 || take_base(r, w, s + n, e) < 0)
		return -1;
	if (!r->tls && !endpoint_is_loopback(r) && !w->allow_plain_http)
		return wrong_url(w, "mail would travel unencrypted; expected "
				 "https://, or \"allow_plain_http\": true in "
				 "\"aws\"", e);
	if (w->fips || w->dualstack)
		return wrong_url(w, "use_fips_endpoint and use_dualstack_"
				 "endpoint choose among AWS's own endpoints; "
				 "leave one of them out", e);
	if (w->style == ENDPOINT_VIRTUAL && is_address(r))
		return wrong_url(w, "addressing_style virtual needs a host "
				 "name, not an address", e);
	if (r->port == (r->tls ? 443 : 80))
		r->port = 0;
	snprintf(r->place, sizeof(r->place), "%s:%d", r->host,
		 r->port ? r->port : r->tls ? 443 : 80);
	return 0;
}

int
endpoint_make(struct endpoint *r, const struct endpoint_wish *w,
	      struct err *e)
{
	const size_t n = strlen(w->region);

	*r = (struct endpoint){ .style = w->style };
	if (n == 0 || n >= sizeof(r->region) ||
	    strspn(w->region, LOWER UPPER DIGITS "-._") != n)
		return err_stop(e, EX_CONFIG, "cannot use the region %s: "
				"expected letters, digits and \"-\", at most "
				"%zu", text_show(w->region),
				sizeof(r->region) - 1);
	memcpy(r->region, w->region, n);
	return w->url ? make_custom(r, w, e) : make_aws(r, w, e);
}

/* A label, or several where dots may be: RFC 1123, lower case. */
static bool
fits_host(const char *bucket, bool dots)
{
	const size_t n = strlen(bucket);

	if (n < 3 || n > 63 || strspn(bucket, LOWER DIGITS "-.") != n)
		return false;
	if (!dots && strchr(bucket, '.') != NULL)
		return false;
	return strchr("-.", bucket[0]) == NULL &&
	       strchr("-.", bucket[n - 1]) == NULL &&
	       strstr(bucket, "..") == NULL && strstr(bucket, ".-") == NULL &&
	       strstr(bucket, "-.") == NULL;
}

static bool
in_host(const struct endpoint *r, const char *bucket)
{
	if (r->style == ENDPOINT_PATH)
		return false;
	/* A certificate's wildcard stands for one label. */
	if (r->aws)
		return fits_host(bucket, false);
	return r->style == ENDPOINT_VIRTUAL && fits_host(bucket, true);
}

void
endpoint_bucket(const struct endpoint *r, const char *bucket,
		struct endpoint_bucket *b)
{
	const bool host = bucket != NULL && in_host(r, bucket);
	char port[8] = "";

	if (r->port != 0)
		snprintf(port, sizeof(port), ":%d", r->port & 0xffff);
	b->path_style = bucket != NULL && !host;
	snprintf(b->host, sizeof(b->host), "%.64s%s%s%s", host ? bucket : "",
		 host ? "." : "", r->host, port);
	snprintf(b->origin, sizeof(b->origin), "http%s://%s",
		 r->tls ? "s" : "", b->host);
	snprintf(b->path, sizeof(b->path), "%s%s%.64s", r->base,
		 b->path_style ? "/" : "", b->path_style ? bucket : "");
}

const char *
endpoint_bucket_expected(const char *name)
{
	const size_t n = strlen(name);

	if (n < 3 || n > 63 ||
	    strspn(name, LOWER UPPER DIGITS "-._") != n ||
	    strchr(".-_", name[0]) || strchr(".-", name[n - 1]) ||
	    strstr(name, "..") != NULL)
		return "a bucket of 3 to 63 letters, digits, \"-\" and \".\"";
	return NULL;
}
