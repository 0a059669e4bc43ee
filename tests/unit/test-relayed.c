#include <config.h>

#include "lib/mail/relayed.h"
#include "unit.h"

#define DATE "; Fri, 27 Jan 2023 12:19:20 +0000 (UTC)"
#define BY " by mx.example (Postfix) with ESMTP id 4bXyz1"
#define REAL " (real.example [203.0.113.5])" BY " for <a@b>" DATE

struct row {
	const char *value;	/* of the top Received field */
	const char *ip, *helo, *by;
	bool tls;
};

static const struct row lines[] = {
	{ " from client.example (client.example [203.0.113.5])\r\n"
	  "\tby mx.example (Postfix) with ESMTP id 4bXyz1\r\n"
	  "\tfor <a@b>" DATE,
	  "203.0.113.5", "client.example", "mx.example", false },
	{ " from c (unknown [IPv6:2001:DB8:0::1])\n"
	  "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
	  "\n\t key-exchange X25519 server-signature ECDSA (P-256))\n"
	  "\t(Client CN \"[192.0.2.9] c\", Issuer \"x\" (not verified))\n"
	  "\t(Authenticated sender: bob)\n"
	  "\tby mx (Postfix) with ESMTPSA id 1" DATE,
	  "2001:db8::1", "c", "mx", true },
	{ "from HOST (HOST [192.0.2.7]) by inbound-smtp.eu-west-1.amazonaws"
	  ".com with SMTP id abc for a@b" DATE,
	  "192.0.2.7", "HOST", "inbound-smtp.eu-west-1.amazonaws.com", false },
	{ "from [192.0.2.1] ([192.0.2.7]) by mx with ESMTPS id 1" DATE,
	  "192.0.2.7", "[192.0.2.1]", "mx", true },
	{ "from c (x [::ffff:192.0.2.7]) by mx with UTF8SMTPS id 1" DATE,
	  "::ffff:192.0.2.7", "c", "mx", true },
	{ "from c ([192.0.2.7]) by mx via x with SMTP" DATE,
	  "192.0.2.7", "c", "mx", false },
	{ "FROM c ([192.0.2.7]) BY mx WITH esmtps ID 1",
	  "192.0.2.7", "c", "mx", true },
	{ "from c ([192.0.2.7]) by mx for <\"x\"@b>" DATE,
	  "192.0.2.7", "c", "mx", false },
};

static const char *const others[] = {
	"",
	"by mx with LMTP id 1" DATE,
	"from c by mx" DATE,
	"from c (c) by mx" DATE,
	"from c (192.0.2.7) by mx" DATE,
	"from c (c 192.0.2.7]) by mx" DATE,
	"from c ([192.0.2.7] c) by mx" DATE,
	"from c ([192.0.2.256]) by mx" DATE,
	"from c ([192.0.2]) by mx" DATE,
	"from c ([]) by mx" DATE,
	"from c (]) by mx" DATE,
	"from c ([IPv6:]) by mx" DATE,
	"from c ([IPv6:2001:db8::g]) by mx" DATE,
	"from c ([192.0.2.7 ]) by mx" DATE,
	"from c ([192.0.2.7])" DATE,
	"from c ([192.0.2.7]) by" DATE,
	"from ([192.0.2.7]) by mx" DATE,
	"c ([192.0.2.7]) by mx" DATE,
	"from my pc ([192.0.2.7]) by mx" DATE,
	"by mx from c ([192.0.2.7])" DATE,
	"from c ([192.0.2.7]) by mx" DATE "; x",
	"from c ([192.0.2.7]) by mx (x" DATE,
	"from c ([192.0.2.7]) (x by mx" DATE,
};

/* What a HELO name with blanks, and a recipient, could try if the relay let
 * them through: the address that counts is 203.0.113.5. */
static const char *const forged[] = {
	"from x (x [192.0.2.1])" REAL,
	"from x ([192.0.2.1]) by mx" REAL,
	"from x ([192.0.2.1]) by mx via" REAL,
	"from x ([192.0.2.1]) by mx with SMTP id 1 for a@b" REAL,
	"from x ([192.0.2.1]) by mx" DATE REAL,
	"from x ([192.0.2.1]) by mx" DATE " (" REAL,
	"from x ([192.0.2.1]) by mx" DATE " (\\" REAL,
	"from x ([192.0.2.1]) by mx (" REAL,
	"from x ([192.0.2.1]) by mx ( (y [203.0.113.5])" BY
	" for <\")\"@b>" DATE,
	"from x ([192.0.2.1]) by mx (\\ (y [203.0.113.5])" BY
	" for <\")\"@b>" DATE,
	"from x ([192.0.2.1]) by mx ( (y [203.0.113.5])" BY
	" for <\") with x\"@b>" DATE,
	"from x ([192.0.2.1]) (\\ (y [203.0.113.5])" BY
	" for <\") by mx\"@b>" DATE,
	"from x ([192.0.2.1] (y [203.0.113.5])" BY DATE,
	"from x (([192.0.2.1]) (y [203.0.113.5])" BY DATE,
};

static bool
read_line(const char *value, struct relayed *r)
{
	struct arena a = { NULL };
	struct head h = { 0 };
	bool found;

	memset(r, 0x5a, sizeof(*r));
	head_add(&h, "X-First", "x", &a);
	head_add(&h, "Received", value, &a);
	head_add(&h, "Received", "from y ([192.0.2.99]) by y" DATE, &a);
	found = relayed_read(&h, r);
	arena_free(&a);
	return found;
}

static void
reads_the_top_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct relayed r;

		ROW(lines[i].value);
		assert_true(read_line(lines[i].value, &r));
		assert_string_equal(r.ip, lines[i].ip);
		assert_string_equal(r.helo, lines[i].helo);
		assert_string_equal(r.by, lines[i].by);
		assert_int_equal(r.tls, lines[i].tls);
	}
}

static void
assert_nothing(const char *const *values, size_t n)
{
	static const struct relayed nothing;

	for (size_t i = 0; i < n; i++) {
		struct relayed r;

		ROW(values[i]);
		assert_false(read_line(values[i], &r));
		assert_memory_equal(&r, &nothing, sizeof(r));
	}
}

static void
reads_no_other_line(void **state)
{
	struct head h = { 0 };
	struct relayed r;

	(void)state;
	assert_nothing(others, COUNT(others));
	assert_false(relayed_read(&h, &r));
	assert_string_equal(r.ip, "");
}

static void
believes_no_forged_address(void **state)
{
	struct relayed r;

	(void)state;
	assert_true(read_line("from x" REAL, &r));
	assert_string_equal(r.ip, "203.0.113.5");
	assert_nothing(forged, COUNT(forged));
}

static void
takes_no_part_of_a_name(void **state)
{
	char name[400], value[1024];

	(void)state;
	for (size_t n = 200; n < 300; n++) {
		struct relayed r;

		memset(name, 'a', n);
		name[n] = '\0';
		snprintf(value, sizeof(value), "from %s ([192.0.2.7]) by mx"
			 DATE, name);
		assert_true(read_line(value, &r));
		assert_string_equal(r.ip, "192.0.2.7");
		assert_int_equal(strlen(r.helo), n < 256 ? n : 0);
		snprintf(value, sizeof(value), "from c ([192.0.2.7]) by %s"
			 DATE, name);
		assert_int_equal(read_line(value, &r), n < 256);
	}
}

static void
refuses_nul(void **state)
{
	static const char text[] = "Received: from c ([192.0.2.7\0]) by mx\r\n";
	static const char name[] = "Received: from c ([192.0.2.7]) by m\0x\r\n";
	struct arena a = { NULL };
	struct relayed r;
	struct head h;

	(void)state;
	head_read(&h, text, sizeof(text) - 1, &a);
	assert_false(relayed_read(&h, &r));
	head_read(&h, name, sizeof(name) - 1, &a);
	assert_false(relayed_read(&h, &r));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_top_line),
		cmocka_unit_test(reads_no_other_line),
		cmocka_unit_test(believes_no_forged_address),
		cmocka_unit_test(takes_no_part_of_a_name),
		cmocka_unit_test(refuses_nul),
	};

	return cmocka_run_group_tests_name("relayed", tests, NULL, NULL);
}
