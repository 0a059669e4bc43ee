#include <config.h>

#include <string.h>
#include <strings.h>

#include "lib/aws/endpoint.h"
#include "settings-private.h"

#define KEY_MAX 1024	/* bytes, of S3 */

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = strchr(digits, c | 0x20);

	return c == '\0' || p == NULL || *p == '\0' ? -1 : (int)(p - digits);
}

/* NULL when an escape is none, or is %00 or %2F. */
static char *
percent_decode(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, strlen(s) + 1), *p = out;

	for (; *s != '\0'; s++) {
		int hi, lo;

		if (*s != '%') {
			*p++ = *s;
			continue;
		}
		hi = hex_value(s[1]);
		lo = hi < 0 ? -1 : hex_value(s[2]);
		if (lo < 0 || hi * 16 + lo == 0 || hi * 16 + lo == '/')
			return NULL;
		*p++ = (char)(hi * 16 + lo);
		s += 2;
	}
	return out;
}

static const char *
with_slash(struct arena *a, const char *s)
{
	const size_t n = strlen(s);

	return n == 0 || s[n - 1] == '/' ? arena_strdup(a, s) :
		arena_printf(a, "%s/", s);
}

/* Keys have no escapes: what stands behind the bucket is the prefix. */
static int
take_s3(struct arena *a, struct source_settings *src, const char *rest,
	const char **expected_r)
{
	const char *slash = strchrnul(rest, '/'), *bucket, *prefix, *wrong;

	bucket = arena_strndup(a, rest, (size_t)(slash - rest));
	wrong = endpoint_bucket_expected(bucket);
	if (wrong != NULL) {
		*expected_r = arena_printf(a, "s3://BUCKET/PREFIX/ (%s)",
					   wrong);
		return -1;
	}
	prefix = with_slash(a, *slash == '/' ? slash + 1 : slash);
	if (strlen(prefix) > KEY_MAX) {
		*expected_r = "s3://BUCKET/PREFIX/ (a prefix of at most 1024 "
			      "bytes)";
		return -1;
	}
	src->bucket = bucket;
	src->prefix = prefix;
	src->url = arena_printf(a, "s3://%s/%s", bucket, prefix);
	return 0;
}

int
settings_take_url(struct arena *a, struct source_settings *src,
		  const char **expected_r)
{
	static const char scheme[] = "file:///";
	const char *decoded, *url = src->url;

	*expected_r = "s3://BUCKET/PREFIX/ or file:///DIRECTORY/";
	if (strncmp(url, "s3://", 5) == 0)
		return take_s3(a, src, url + 5, expected_r);
	if (strncasecmp(url, "file:", 5) == 0)
		*expected_r = "file:///DIRECTORY/ (absolute, no \"..\", \"%\" "
			      "only as %XX, \"?\" and \"#\" as %3F and %23)";
	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0 ||
	    strpbrk(url, "?#") != NULL)
		return -1;
	decoded = percent_decode(a, url + sizeof(scheme) - 2);
	if (decoded != NULL)
		src->path = settings_clean_path(a, decoded);
	return src->path ? 0 : -1;
}
