#include <config.h>

#include "lib/mail/header.h"
#include "unit.h"

struct field {
	const char *head;
	size_t n;
	const char *name, *value;
};

#define HEAD(text) text, sizeof(text) - 1

static const struct field fields[] = {
	{ HEAD("Subject: a\r\n\r\n"), "Subject", "a" },
	{ HEAD("Subject: a\n\n"), "Subject", "a" },
	{ HEAD("Subject: a"), "Subject", "a" },
	{ HEAD("A: 1\r\nSubject: a\r\nB: 2\r\n\r\n"), "Subject", "a" },
	{ HEAD("SUBJECT: a\r\n"), "Subject", "a" },
	{ HEAD("Subject: a\r\n"), "sUBJECT", "a" },
	{ HEAD("Subject:a\r\n"), "Subject", "a" },
	{ HEAD("Subject: \t a b \t \r\n"), "Subject", "a b" },
	{ HEAD("Subject \t: a\r\n"), "Subject", "a" },
	{ HEAD("Subject:\r\n"), "Subject", "" },
	{ HEAD("Subject:"), "Subject", "" },
	{ HEAD("Subject"), "Subject", "" },
	{ HEAD("Subject \r\n"), "Subject", "" },
	{ HEAD(""), "Subject", "" },
	/* the first one counts */
	{ HEAD("Subject: a\r\nSubject: b\r\n\r\n"), "Subject", "a" },
	{ HEAD("Subject: a\r\nX: \r\n b\r\n\r\n"), "Subject", "a" },
	/* unfolded, whatever the line ends are */
	{ HEAD("Subject: a\r\n b\r\n\r\n"), "Subject", "a b" },
	{ HEAD("Subject: a\n b\n\n"), "Subject", "a b" },
	{ HEAD("Subject:\n a\n b\nX: c\n"), "Subject", "a b" },
	{ HEAD("Subject: a\n \n b\n"), "Subject", "a  b" },
	/* names are whole, and only at the start of a line */
	{ HEAD("X-Subject: a\r\n"), "Subject", "" },
	{ HEAD("Subjects: a\r\n"), "Subject", "" },
	{ HEAD("Subject-X: a\r\n"), "Subject", "" },
	{ HEAD("X: a\r\n Subject: b\r\n"), "Subject", "" },
	{ HEAD("X: Subject: b\r\n"), "Subject", "" },
	/* nothing after the first empty line */
	{ HEAD("X: a\r\n\r\nSubject: b\r\n"), "Subject", "" },
	{ HEAD("X: a\n\nSubject: b\n"), "Subject", "" },
	{ HEAD("\nSubject: b\n"), "Subject", "" },
	{ HEAD("\r\nSubject: b\n"), "Subject", "" },
	{ HEAD("X: a\r\n\nSubject: b\r\n"), "Subject", "" },
	/* raw bytes, NUL a blank, no line end */
	{ HEAD("Subject: \xff\x80\x1b[m\r\n"), "Subject", "\xff\x80\x1b[m" },
	{ HEAD("Subject: a\0b\r\n"), "Subject", "a b" },
	{ HEAD("Subject: \0a\0\r\n"), "Subject", "a" },
	{ HEAD("A\0: 1\nSubject: a\n"), "Subject", "a" },
	{ HEAD("Subject\0: a\n"), "Subject", "" },
};

static void
finds_the_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		const struct field *f = &fields[i];
		/* Of exactly that size: a byte read too far is seen. */
		char out[64], *exact = malloc(f->n ? f->n : 1);

		ROW(f->head);
		assert_non_null(exact);
		memcpy(exact, f->head, f->n);
		header_find(exact, f->n, f->name, out, sizeof(out));
		assert_string_equal(out, f->value);
		free(exact);
	}
}

static void
a_tab_is_a_byte_as_any(void **state)
{
	char out[64];

	(void)state;
	header_find("Subject: a\tb\n", 13, "Subject", out, sizeof(out));
	assert_string_equal(out, "a\tb");
}

static void
long_values_are_cut(void **state)
{
	static const char head[] = "Subject: 0123456789\r\n";
	char out[16];

	(void)state;
	for (size_t room = 1; room < sizeof(out); room++) {
		const size_t n = room - 1 < 10 ? room - 1 : 10;

		memset(out, '#', sizeof(out));
		header_find(head, sizeof(head) - 1, "Subject", out, room);
		assert_int_equal(strlen(out), n);
		assert_memory_equal(out, "0123456789", n);
		assert_int_equal(out[room], '#');
	}
}

static void
a_cut_head_gives_what_is_there(void **state)
{
	static const char head[] = "Subject: abc\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(head); n++) {
		char *exact = malloc(n + 1), out[16];

		assert_non_null(exact);
		exact[n] = '#';
		memcpy(exact, head, n);
		header_find(exact, n, "Subject", out, sizeof(out));
		assert_int_equal(strlen(out), n < 9 ? 0 : n < 12 ? n - 9 : 3);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_field),
		cmocka_unit_test(a_tab_is_a_byte_as_any),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(a_cut_head_gives_what_is_there),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
