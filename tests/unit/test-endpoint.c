#include <config.h>

#include <sysexits.h>

#include "lib/aws/endpoint.h"
#include "unit.h"

enum { FIPS = 1, DUAL = 2, PLAIN = 4, PATH = 8, VIRTUAL = 16 };

struct own {
	const char *region, *service;
	int flags;
	const char *host;	/* as botocore 1.43 makes it */
};

static const struct own owns[] = {
	{ "us-east-1", "sts", 0, "sts.us-east-1.amazonaws.com" },
	{ "eu-west-1", "s3", 0, "s3.eu-west-1.amazonaws.com" },
	{ "eu-west-1", "s3", DUAL, "s3.dualstack.eu-west-1.amazonaws.com" },
	{ "eu-west-1", "s3", FIPS, "s3-fips.eu-west-1.amazonaws.com" },
	{ "eu-west-1", "s3", FIPS | DUAL,
	  "s3-fips.dualstack.eu-west-1.amazonaws.com" },
	{ "eu-west-1", "sqs", 0, "sqs.eu-west-1.amazonaws.com" },
	{ "eu-west-1", "sqs", DUAL, "sqs.eu-west-1.api.aws" },
	{ "eu-west-1", "sqs", FIPS, "sqs-fips.eu-west-1.amazonaws.com" },
	{ "eu-west-1", "sqs", FIPS | DUAL, "sqs-fips.eu-west-1.api.aws" },
	{ "cn-north-1", "s3", 0, "s3.cn-north-1.amazonaws.com.cn" },
	{ "cn-north-1", "s3", DUAL,
	  "s3.dualstack.cn-north-1.amazonaws.com.cn" },
	{ "cn-north-1", "sts", DUAL,
	  "sts.cn-north-1.api.amazonwebservices.com.cn" },
	{ "us-gov-west-1", "s3", FIPS, "s3-fips.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", "sts", 0, "sts.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", "sts", FIPS, "sts.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", "sqs", FIPS, "sqs.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", "ssm", FIPS, "ssm.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", "kms", FIPS,
	  "kms-fips.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", "sts", FIPS | DUAL,
	  "sts-fips.us-gov-west-1.api.aws" },
	{ "us-iso-east-1", "s3", 0, "s3.us-iso-east-1.c2s.ic.gov" },
	{ "us-iso-east-1", "sts", DUAL, "sts.us-iso-east-1.api.aws.ic.gov" },
	{ "us-isob-east-1", "s3", 0, "s3.us-isob-east-1.sc2s.sgov.gov" },
	{ "us-isob-east-1", "kms", DUAL, "kms.us-isob-east-1.api.aws.scloud" },
	{ "eusc-de-east-1", "s3", DUAL,
	  "s3.dualstack.eusc-de-east-1.amazonaws.eu" },
	{ "eusc-de-east-1", "sts", DUAL,
	  "sts.eusc-de-east-1.api.amazonwebservices.eu" },
	{ "eu-isoe-west-1", "s3", 0, "s3.eu-isoe-west-1.cloud.adc-e.uk" },
	{ "us-isof-south-1", "s3", 0, "s3.us-isof-south-1.csp.hci.ic.gov" },
	{ "xx-new-1", "s3", 0, "s3.xx-new-1.amazonaws.com" },
};

static struct endpoint_wish
wish(const char *service, const char *region, const char *url, int flags)
{
	return (struct endpoint_wish){
		.service = service, .region = region, .url = url,
		.fips = flags & FIPS, .dualstack = flags & DUAL,
		.allow_plain_http = flags & PLAIN,
		.style = flags & PATH ? ENDPOINT_PATH :
			flags & VIRTUAL ? ENDPOINT_VIRTUAL : ENDPOINT_AUTO,
	};
}

static void
knows_the_hosts_of_aws(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(owns); i++) {
		const struct endpoint_wish w = wish(owns[i].service,
						    owns[i].region, NULL,
						    owns[i].flags);
		struct endpoint r;
		struct err e = { .text = "" };

		ROW(owns[i].host);
		assert_int_equal(endpoint_make(&r, &w, &e), 0);
		assert_string_equal(r.host, owns[i].host);
		assert_string_equal(r.region, owns[i].region);
		assert_true(r.tls && r.aws && r.port == 0);
		assert_string_equal(r.base, "");
	}
}

struct place {
	const char *region, *url, *place;
};

static const struct place places[] = {
	{ "eu-west-1", NULL, "aws" },
	{ "us-gov-east-1", NULL, "aws-us-gov" },
	{ "cn-northwest-1", NULL, "aws-cn" },
	{ "auto", "https://A.example:443/", "a.example:443" },
	{ "auto", "https://a.example", "a.example:443" },
	{ "garage", "http://[0:0:0:0:0:0:0:1]:3900", "[::1]:3900" },
};

/* The same server under two spellings is one place. */
static void
names_the_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct endpoint_wish w = wish("s3", places[i].region,
						    places[i].url, 0);
		struct endpoint r;
		struct err e;

		ROW(places[i].place);
		assert_int_equal(endpoint_make(&r, &w, &e), 0);
		assert_string_equal(r.place, places[i].place);
		assert_int_equal(r.aws, places[i].url == NULL);
	}
}

struct way {
	const char *url;	/* NULL: AWS in eu-west-1 */
	int flags;
	const char *bucket;
	const char *origin, *path;
};

#define AWS "s3.eu-west-1.amazonaws.com"

static const struct way ways[] = {
	{ NULL, 0, NULL, "https://" AWS, "" },
	{ NULL, 0, "my-mail", "https://my-mail." AWS, "" },
	{ NULL, PATH, "my-mail", "https://" AWS, "/my-mail" },
	{ NULL, 0, "mail.example", "https://" AWS, "/mail.example" },
	{ NULL, VIRTUAL, "mail.example", "https://" AWS, "/mail.example" },
	{ NULL, 0, "Old_Bucket", "https://" AWS, "/Old_Bucket" },
	{ NULL, 0, "-ab", "https://" AWS, "/-ab" },
	{ "https://minio.example:9000", 0, "mail",
	  "https://minio.example:9000", "/mail" },
	{ "https://minio.example:9000", VIRTUAL, "mail",
	  "https://mail.minio.example:9000", "" },
	{ "https://minio.example", VIRTUAL, "mail.b",
	  "https://mail.b.minio.example", "" },
	{ "https://minio.example", VIRTUAL, "Mail",
	  "https://minio.example", "/Mail" },
	{ "https://x.example/storage/v1/s3/", 0, "mail", "https://x.example",
	  "/storage/v1/s3/mail" },
	{ "https://x.example/s3", VIRTUAL, "mail", "https://mail.x.example",
	  "/s3" },
	{ "https://x.example/s3", 0, NULL, "https://x.example", "/s3" },
	{ "http://127.0.0.1:8000", 0, "mail", "http://127.0.0.1:8000",
	  "/mail" },
	{ "http://[::1]:80/", 0, "mail", "http://[::1]", "/mail" },
	{ "http://LocalHost:7480", 0, "mail", "http://localhost:7480",
	  "/mail" },
	{ "http://s3.localhost:9000", VIRTUAL, "mail",
	  "http://mail.s3.localhost:9000", "" },
	{ "http://minio:9000", PLAIN, "mail", "http://minio:9000", "/mail" },
	{ "http://10.0.0.1", PLAIN, "mail", "http://10.0.0.1", "/mail" },
	{ "HTTPS://my_minio:8443", 0, "mail", "https://my_minio:8443",
	  "/mail" },
};

static void
leads_to_the_bucket(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		const struct endpoint_wish w = wish("s3", "eu-west-1",
						    ways[i].url, ways[i].flags);
		struct endpoint_bucket b;
		struct endpoint r;
		struct err e = { .text = "" };

		ROW(ways[i].origin);
		assert_int_equal(endpoint_make(&r, &w, &e), 0);
		endpoint_bucket(&r, ways[i].bucket, &b);
		assert_string_equal(b.origin, ways[i].origin);
		assert_string_equal(b.path, ways[i].path);
		assert_string_equal(b.host, strstr(b.origin, "://") + 3);
		assert_int_equal(b.path_style, ways[i].bucket != NULL &&
				 strstr(b.path, ways[i].bucket) != NULL);
	}
}

struct wrong {
	const char *region, *url;
	int flags;
	const char *says;
};

static const struct wrong wrongs[] = {
	{ "", NULL, 0, "cannot use the region : expected letters" },
	{ "eu west", NULL, 0, "cannot use the region eu west: expected" },
	{ "eu-west-1/x", NULL, 0, "expected letters, digits" },
	{ "evil.example#", NULL, 0, "expected letters, digits" },
	{ "evil.example", NULL, 0, "expected one of AWS's, as eu-west-1" },
	{ "EU-WEST-1", NULL, 0, "expected one of AWS's" },
	{ "-x", NULL, 0, "expected one of AWS's" },
	{ "cn-north-1", NULL, FIPS, "use_fips_endpoint in the region" },
	{ "r", "minio:9000", 0, "minio:9000: expected https://HOST or http" },
	{ "r", "", 0, "expected https://HOST" },
	{ "r", "s3://x", 0, "expected https://HOST" },
	{ "r", "https://", 0, "expected http(s)://HOST[:PORT]" },
	{ "r", "https:///x", 0, "expected http(s)://HOST[:PORT]" },
	{ "r", "https://a b", 0, "expected http(s)://HOST[:PORT]" },
	{ "r", "https://a..b", 0, "expected http(s)://HOST[:PORT]" },
	{ "r", "https://a\r\nX: y", 0, "expected http(s)://HOST[:PORT]" },
	{ "r", "https://u:hidden@a", 0, "credentials go into key_file" },
	{ "r", "https://[::1", 0, "expected an IPv6 address in brackets" },
	{ "r", "https://[]", 0, "expected an IPv6 address in brackets" },
	{ "r", "https://[a.b]", 0, "expected an IPv6 address between" },
	{ "r", "https://[fe80::1%25eth0]", 0, "an IPv6 address between" },
	{ "r", "https://[::1]9", 0, "a port from 1 to 65535" },
	{ "r", "https://a:", 0, "a port from 1 to 65535" },
	{ "r", "https://a:0", 0, "a port from 1 to 65535" },
	{ "r", "https://a:65536", 0, "a port from 1 to 65535" },
	{ "r", "https://a:8o", 0, "a port from 1 to 65535" },
	{ "r", "https://a:000080", 0, "a port from 1 to 65535" },
	{ "r", "https://a/?x=1", 0, "expected a path" },
	{ "r", "https://a?x=1", 0, "expected no \"?\"" },
	{ "r", "https://a#x", 0, "expected no \"?\"" },
	{ "r", "https://a/b%2fc", 0, "expected a path" },
	{ "r", "https://a/../b", 0, "expected a path" },
	{ "r", "https://a//b", 0, "expected a path" },
	{ "r", "http://minio:9000", 0, "mail would travel unencrypted" },
	{ "r", "http://128.0.0.1", 0, "mail would travel unencrypted" },
	{ "r", "http://127.0.0.1.example", 0, "would travel unencrypted" },
	{ "r", "http://localhost.example", 0, "would travel unencrypted" },
	{ "r", "http://a.localhost.example", 0, "would travel unencrypted" },
	{ "r", "http://xlocalhost", 0, "would travel unencrypted" },
	{ "r", "http://[::2]", 0, "would travel unencrypted" },
	{ "r", "https://a", FIPS, "leave one of them out" },
	{ "r", "https://a", DUAL, "leave one of them out" },
	{ "r", "https://[::1]", VIRTUAL, "needs a host name" },
	{ "r", "https://10.0.0.1", VIRTUAL, "needs a host name" },
};

static void
refuses_what_it_cannot_reach(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		const struct endpoint_wish w = wish("s3", wrongs[i].region,
						    wrongs[i].url,
						    wrongs[i].flags);
		struct endpoint r;
		struct err e = { .text = "" };

		ROW(wrongs[i].url ? wrongs[i].url : wrongs[i].region);
		assert_int_equal(endpoint_make(&r, &w, &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, EX_CONFIG);
		assert_non_null(strstr(e.text, wrongs[i].says));
		assert_null(strstr(e.text, "hidden"));
		assert_null(strpbrk(e.text, "\r\n"));
	}
}

static void
knows_names_of_buckets(void **state)
{
	static const char *const good[] = {
		"abc", "a-b.c", "123", "Old_Bucket",
	};
	static const char *const bad[] = {
		"", "ab", ".abc", "-abc", "_abc", "abc.", "abc-", "a..b",
		"a/b", "a b", "a\xc3\xbc", "abc\n",
		("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		ROW(good[i]);
		assert_null(endpoint_bucket_expected(good[i]));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		ROW(bad[i]);
		assert_non_null(endpoint_bucket_expected(bad[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_hosts_of_aws),
		cmocka_unit_test(names_the_place),
		cmocka_unit_test(leads_to_the_bucket),
		cmocka_unit_test(refuses_what_it_cannot_reach),
		cmocka_unit_test(knows_names_of_buckets),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
