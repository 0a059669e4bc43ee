#include <config.h>

#include "lib/mail/transfer.h"
#include "unit.h"

typedef size_t reader(struct buf *, const char *, size_t);

struct row {
	reader *read;
	const char *text, *bytes;
};

static const struct row rows[] = {
	{ transfer_base64, "", "" },
	{ transfer_base64, "QUJD", "ABC" },
	{ transfer_base64, "QUI=", "AB" },
	{ transfer_base64, "QQ==", "A" },
	{ transfer_base64, "QQ", "A" },
	{ transfer_base64, "Q", "" },
	{ transfer_base64, "QU\r\nJD\n", "ABC" },
	{ transfer_base64, "QQ==QUI=QUJD", "AABABC" },
	{ transfer_base64, "!Q\x80" "U-J_D?", "ABC" },
	{ transfer_base64, "+/+/", "\xfb\xff\xbf" },
	{ transfer_base64, "====", "" },
	{ transfer_quoted, "a=3Db=c3=A4", "a=b\xc3\xa4" },
	{ transfer_quoted, "a=\r\nb=\nc", "abc" },
	{ transfer_quoted, "a= \t\r\nb", "ab" },
	{ transfer_quoted, "a=", "a" },
	{ transfer_quoted, "a=  ", "a" },
	{ transfer_quoted, "a= b", "a= b" },
	{ transfer_quoted, "=4", "=4" },
	{ transfer_quoted, "=4X==41", "=4X=A" },
	{ transfer_quoted, "a_b\r\n", "a_b\r\n" },
	{ transfer_q, "a_b=5F=\n", "a b_=\n" },
	{ transfer_percent, "a%20b_%E4%2", "a b_\xe4%2" },
};

static void
reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;

		ROW(rows[i].text);
		buf_init(&out, 100);
		assert_int_equal(rows[i].read(&out, rows[i].text,
					      strlen(rows[i].text)),
				 strlen(rows[i].bytes));
		assert_string_equal(out.data ? out.data : "", rows[i].bytes);
		buf_free(&out);
	}
}

static void
takes_nul_and_escape(void **state)
{
	static const char base64[] = "GwBb", quoted[] = "=1B=00[";
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(transfer_base64(&out, base64, strlen(base64)), 3);
	assert_int_equal(transfer_quoted(&out, quoted, strlen(quoted)), 3);
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.data, "\x1b\0[\x1b\0[", 6);
	buf_free(&out);
}

static void
counts_what_has_no_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 2);
	assert_int_equal(transfer_base64(&out, "QUJDREVG", 8), 6);
	assert_true(out.cut);
	assert_string_equal(out.data, "AB");
	buf_free(&out);
	buf_init(&out, 0);
	assert_int_equal(transfer_quoted(&out, "=41bc", 5), 3);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back),
		cmocka_unit_test(takes_nul_and_escape),
		cmocka_unit_test(counts_what_has_no_room),
	};

	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
