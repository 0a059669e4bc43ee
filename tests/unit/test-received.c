#include <config.h>

#include <sys/mman.h>
#include <unistd.h>

#include "lib/mail/received.h"
#include "unit.h"

#define BY " by inbound-smtp.us-east-1.amazonaws.com"
#define FROM "Received: from mx.example (mx.example [192.0.2.7])"
#define WITH " with SMTP id abc123"
#define DATE "Fri, 27 Jan 2023 12:19:20 +0000 (UTC)"
#define ARRIVAL INT64_C(1674821960)
#define NEXT "X-SES-Spam-Verdict: PASS\r\n"
#define TOP FROM "\r\n" BY WITH "\r\n"

struct row {
	const char *name, *head;
	bool found;
	const char *id, *recipient, *sender;
	int64_t arrival;
};

static const struct row shapes[] = {
	{ "as SES writes it", "Return-Path: <bob@example.org>\r\n" TOP
	  " for alice@example.com;\r\n " DATE "\r\n" NEXT,
	  true, "abc123", "alice@example.com", "bob@example.org", ARRIVAL },
	{ "LF only", "Return-Path: <b@c>\nReceived: from x (x [1])\n" BY WITH
	  "\n for a@b;\n " DATE "\nX: y\n",
	  true, "abc123", "a@b", "b@c", ARRIVAL },
	{ "one line", FROM BY WITH " for a@b; " DATE "\r\n",
	  true, "abc123", "a@b", "", ARRIVAL },
	{ "brackets", TOP " for <a@b>; " DATE "\r\n",
	  true, "abc123", "a@b", "", ARRIVAL },
	{ "no blank before the semicolon and after the colon",
	  "RECEIVED:FROM x BY inbound-smtp.eu-west-1.amazonaws.com WITH SMTP "
	  "ID Z.9_-\r\n FOR <a@b>;" DATE "\r\n",
	  true, "Z.9_-", "a@b", "", ARRIVAL },
	{ "no for clause", TOP " ; " DATE "\r\n",
	  true, "abc123", "", "", ARRIVAL },
	{ "no date", TOP " for a@b\r\n", true, "abc123", "a@b", "", 0 },
	{ "null sender", "Return-Path: <>\r\n" TOP " for a@b; " DATE "\r\n",
	  true, "abc123", "a@b", "", ARRIVAL },
	{ "China", "Received: from x by inbound-smtp.cn-north-1.amazonaws.com"
	  ".cn with SMTP id i for a@b; " DATE "\r\n",
	  true, "i", "a@b", "", ARRIVAL },
	{ "nested comments and quoted pairs", "Received: from x (a (b \\) c) "
	  "\\( d) by (e) INBOUND-SMTP.us-east-1.AmazonAWS.com (f)\r\n\twith "
	  "SMTP id i(g) for(h)<a@b>(; j); " DATE "\r\n",
	  true, "i", "a@b", "", ARRIVAL },
	{ "a name with blanks", "Received: from my pc (x)" BY WITH
	  " for a@b; " DATE "\r\n", true, "abc123", "a@b", "", ARRIVAL },
	{ "8-bit host", "Received: from \xff\xc3\xbc (\xfe)" BY WITH
	  " for a@b; " DATE "\r\n", true, "abc123", "a@b", "", ARRIVAL },
};

static const struct row foreign[] = {
	{ .name = "nothing", .head = "" },
	{ .name = "no line end", .head = FROM BY WITH " for a@b; " DATE },
	{ .name = "no header", .head = "\r\n" FROM BY WITH " for a@b;\r\n" },
	{ .name = "another first", .head = "X: y\r\n" FROM BY WITH "\r\n" },
	{ .name = "a second Received", .head = "Received: from a by b;\r\n"
	  FROM BY WITH " for a@b; " DATE "\r\n" },
	{ .name = "a sender's Return-Path", .head = "Return-Path: <a@b>\r\n"
	  "Received: from a by b with SMTP id c for d@e; " DATE "\r\n" },
	{ .name = "Return-Path alone", .head = "Return-Path: <a@b>\r\n\r\n" },
	{ .name = "a longer name", .head = "Received-SPF: from x" BY "\r\n" },
	{ .name = "a domain behind", .head = FROM " by inbound-smtp.us-east-1"
	  ".amazonaws.com.evil.example" WITH " for a@b;\r\n" },
	{ .name = "a domain in front", .head = FROM " by evil.inbound-smtp."
	  "us-east-1.amazonaws.com" WITH " for a@b;\r\n" },
	{ .name = "two labels", .head = FROM " by inbound-smtp.us.east"
	  ".amazonaws.com" WITH " for a@b;\r\n" },
	{ .name = "no region", .head = FROM " by inbound-smtp."
	  ".amazonaws.com" WITH " for a@b;\r\n" },
	{ .name = "a final dot", .head = FROM BY "." WITH " for a@b;\r\n" },
	{ .name = "by in a comment", .head = FROM " (" BY ") by x.example"
	  WITH " for a@b;\r\n" },
	{ .name = "comment without end", .head = "Received: from x (y" BY WITH
	  " for a@b; " DATE "\r\n" NEXT },
	{ .name = "nothing after by", .head = FROM " by\r\n" NEXT },
};

/* What a sender could try with its HELO name and its reverse DNS. */
static const struct row forged[] = {
	{ .name = "by twice", .head = "Received: from x" BY
	  " with SMTP id fake for eve@b (y)" BY WITH " for a@b;\r\n" },
	{ .name = "id before by", .head = "Received: from x id fake (y)" BY
	  WITH " for a@b;\r\n" },
	{ .name = "for before by", .head = "Received: from x for eve@b (y)" BY
	  WITH ";\r\n" },
	{ .name = "semicolon", .head = "Received: from x; " DATE " (y)" BY
	  WITH " for a@b; " DATE "\r\n" },
	{ .name = "out of a comment", .head = "Received: from x (y)" BY
	  " with SMTP id fake for eve@b; (z)" BY WITH " for a@b; " DATE
	  "\r\n" },
	{ .name = "into a comment", .head = "Received: from x" BY
	  " with SMTP id fake for eve@b; " DATE " ( (y [1])" BY WITH
	  " for a@b; " DATE "\r\n" },
	{ .name = "into a comment, quoted pair", .head = "Received: from x" BY
	  " with SMTP id fake for eve@b; " DATE " (\\ (y [1])" BY WITH
	  " for \")(\"@b; " DATE "\r\n" },
	{ .name = "for twice", .head = TOP " for a@b for eve@b;\r\n" },
};

static const struct row addresses[] = {
	{ .name = "none", .recipient = "", .head = "alice" },
	{ .name = "two signs", .recipient = "", .head = "a@b@c" },
	{ .name = "no domain", .recipient = "", .head = "a@" },
	{ .name = "no local part", .recipient = "", .head = "<@b>" },
	{ .name = "quoted", .recipient = "", .head = "\"a\"@b" },
	{ .name = "quoted with a blank", .recipient = "", .head = "\"a b\"@c" },
	{ .name = "quoted with more", .recipient = "", .head = "\"a@b c\"@d" },
	{ .name = "two", .recipient = "", .head = "a@b c@d" },
	{ .name = "8-bit", .recipient = "", .head = "\xc3\xbc@b" },
	{ .name = "control byte", .recipient = "", .head = "a\x01@b" },
	{ .name = "DEL", .recipient = "", .head = "a\x7f@b" },
	{ .name = "one bracket", .recipient = "", .head = "<a@b" },
	{ .name = "two brackets", .recipient = "", .head = "<<a@b>>" },
	{ .name = "literal", .recipient = "", .head = "a@[192.0.2.1]" },
	{ .name = "folded inside", .recipient = "", .head = "a\r\n @b" },
	{ .name = "label", .recipient = "a+x=y@b", .head = "<a+x=y@b>" },
};

struct date {
	const char *text;
	int64_t arrival;
};

static const struct date dates[] = {
	{ DATE, ARRIVAL },
	{ "27 Jan 2023 12:19:20 +0000", ARRIVAL },
	{ "Fri, 27 Jan 2023 13:49:20 +0130", ARRIVAL },
	{ "Fri, 27 Jan 2023 04:19:20 -0800 (PST (really))", ARRIVAL },
	{ "Fri,\r\n 27\r\n\tJan 2023 12:19:20 GMT", ARRIVAL },
	{ "Sat, 1 Jan 2000 00:00:00 +0000", 946684800 },
	{ "Fri, 31 Dec 1999 23:59:59 +0000", 0 },
	{ "Thu, 31 Dec 2099 23:59:59 +0000", 4102444799 },
	{ "Fri, 1 Jan 2100 00:00:00 +0000", 0 },
	{ "Thu, 29 Feb 2024 00:00:00 +0000", 1709164800 },
	{ "Wed, 29 Feb 2023 00:00:00 +0000", 0 },
	{ "31 Apr 2023 00:00:00 +0000", 0 },
	{ "31 Dec 2023 23:59:60 +0000", 1704067200 },
	{ "27 Jan 2023 24:19:20 +0000", 0 },
	{ "27 Jan 23 12:19:20 +0000", 0 },
	{ "27 Jan 2023 12:19:20", 0 },
	{ "27 Jan 2023 12:19:20 +00000", 0 },
	{ "27 Jan 2023 12:19:20 +000", 0 },
	{ "27 Jan 2023 12:19:20 +0060", 0 },
	{ "27 Jan 2023 12:19:20 +0000 x", 0 },
	{ "27 Jan 2023 12:19:20 EST", 0 },
	{ "99999999999999999999 Jan 2023 12:19:20 +0000", 0 },
	{ "27 Jan 99999999999999999999 12:19:20 +0000", 0 },
	{ "", 0 },
};

static void
read_text(const char *head, struct received *r)
{
	memset(r, 0x5a, sizeof(*r));
	received_read(head, strlen(head), r);
}

static void
assert_row(const struct row *row)
{
	struct received r;

	ROW(row->name);
	read_text(row->head, &r);
	assert_int_equal(r.found, row->found);
	assert_string_equal(r.id, row->id ? row->id : "");
	assert_string_equal(r.recipient, row->recipient ? row->recipient : "");
	assert_string_equal(r.sender, row->sender ? row->sender : "");
	assert_int_equal(r.arrival, row->arrival);
}

static void
reads_what_ses_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++)
		assert_row(&shapes[i]);
}

static void
believes_no_other_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++)
		assert_row(&foreign[i]);
}

static void
believes_no_forged_clause(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forged); i++)
		assert_row(&forged[i]);
}

static void
takes_whole_addresses_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct received r;
		char head[512];

		ROW(addresses[i].name);
		snprintf(head, sizeof(head), TOP " for %s; " DATE "\r\n",
			 addresses[i].head);
		read_text(head, &r);
		assert_true(r.found);
		assert_string_equal(r.recipient, addresses[i].recipient);
	}
}

static void
reads_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		struct received r;
		char head[512];

		ROW(dates[i].text);
		snprintf(head, sizeof(head), TOP " for a@b; %s\r\n" NEXT,
			 dates[i].text);
		read_text(head, &r);
		assert_true(r.found);
		assert_int_equal(r.arrival, dates[i].arrival);
	}
}

static void
refuses_what_does_not_fit(void **state)
{
	char head[2048], text[400];
	struct received r;

	(void)state;
	for (size_t n = 120; n < 340; n++) {
		memset(text, 'a', n);
		text[n] = '\0';
		snprintf(head, sizeof(head), FROM BY " with SMTP id %s for "
			 "%s@b; " DATE "\r\n", text, text);
		read_text(head, &r);
		assert_int_equal(strlen(r.id), n < sizeof(r.id) ? n : 0);
		assert_int_equal(strlen(r.recipient),
				 n + 2 < sizeof(r.recipient) ? n + 2 : 0);
	}
}

static void
refuses_nul(void **state)
{
	static const char id[] = FROM BY " with SMTP id a\0b for a@b; " DATE
				 "\r\n";
	static const char date[] = FROM BY " for a\0@b; " DATE "\0\r\n";
	struct received r;

	(void)state;
	received_read(id, sizeof(id) - 1, &r);
	assert_true(r.found);
	assert_string_equal(r.id, "");
	assert_string_equal(r.recipient, "a@b");
	received_read(date, sizeof(date) - 1, &r);
	assert_string_equal(r.recipient, "");
	assert_int_equal(r.arrival, 0);
}

/* Each beginning gives each value as it is in the whole, or not at all. */
static void
takes_no_part_for_the_whole(void **state)
{
	const struct row *whole = &shapes[0];

	(void)state;
	for (size_t n = 0; n < strlen(whole->head); n++) {
		struct received r;

		received_read(whole->head, n, &r);
		if (*r.id != '\0')
			assert_string_equal(r.id, whole->id);
		if (*r.recipient != '\0')
			assert_string_equal(r.recipient, whole->recipient);
		if (*r.sender != '\0')
			assert_string_equal(r.sender, whole->sender);
		if (r.arrival != 0)
			assert_int_equal(r.arrival, whole->arrival);
		if (!r.found)
			assert_string_equal(r.sender, "");
	}
}

static const char *const endless[] = {
	"(", ")", "((", "\\", ";", "\"", "<", "@", " ", "\r\n ", "\r\n\t(",
	"from ", "by ", "for a@b ", "id x ", "Received: ", "\x80", "a",
};

/*
 * Hostile shapes of n, 2n and 4n bytes in front of a page that must not be
 * touched: the work is bounded by RECEIVED_HEAD_MAX whatever len says.
 */
static void
looks_at_no_more_than_the_head(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = (RECEIVED_HEAD_MAX + page - 1) / page * page;
	char *all = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *head = all + size - RECEIVED_HEAD_MAX;
	const size_t start = strlen(TOP);

	(void)state;
	assert_true(all != MAP_FAILED);
	assert_int_equal(mprotect(all + size, page, PROT_NONE), 0);
	for (size_t i = 0; i < COUNT(endless); i++) {
		struct received r, more;

		ROW(endless[i]);
		memcpy(head, TOP, start);
		for (size_t k = start; k < RECEIVED_HEAD_MAX; k++)
			head[k] = endless[i][(k - start) % strlen(endless[i])];
		head[RECEIVED_HEAD_MAX - 1] = '\n';
		received_read(head, RECEIVED_HEAD_MAX, &r);
		for (size_t n = 2; n <= 4096; n *= 2) {
			received_read(head, n * RECEIVED_HEAD_MAX, &more);
			assert_memory_equal(&r, &more, sizeof(r));
		}
	}
	munmap(all, size + page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_ses_writes),
		cmocka_unit_test(believes_no_other_line),
		cmocka_unit_test(believes_no_forged_clause),
		cmocka_unit_test(takes_whole_addresses_only),
		cmocka_unit_test(reads_dates),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(takes_no_part_for_the_whole),
		cmocka_unit_test(looks_at_no_more_than_the_head),
	};

	return cmocka_run_group_tests_name("received", tests, NULL, NULL);
}
