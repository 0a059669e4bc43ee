#include <config.h>

#include "lib/mail/head.h"
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

/* In memory of exactly that size: a byte read too far is seen. */
static char *
exactly(const char *text, size_t n)
{
	char *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	return copy;
}

static void
finds_the_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		const struct field *f = &fields[i];
		char *text = exactly(f->head, f->n);
		struct arena a = { NULL };
		const struct head_field *found;
		struct head h;

		ROW(f->head);
		head_read(&h, text, f->n, &a);
		found = head_next(&h, f->name, NULL);
		assert_string_equal(found ? head_value(found, &a) : "",
				    f->value);
		assert_false(h.limits);
		arena_free(&a);
		free(text);
	}
}

static void
a_tab_is_a_byte_as_any(void **state)
{
	const struct head_field f = { .value = "a\tb", .value_n = 3 };
	struct arena a = { NULL };

	(void)state;
	assert_string_equal(head_value(&f, &a), "a\tb");
	arena_free(&a);
}

static void
long_values_are_cut(void **state)
{
	const struct head_field f = { .value = " 0123456789", .value_n = 11 };
	char out[16];

	(void)state;
	for (size_t room = 1; room < sizeof(out); room++) {
		const size_t n = room - 1 < 10 ? room - 1 : 10;

		memset(out, '#', sizeof(out));
		head_unfold(&f, out, room);
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
		char *text = exactly(head, n);
		struct arena a = { NULL };
		struct head h;

		head_read(&h, text, n, &a);
		assert_int_equal(h.n, n >= 8);
		if (h.n > 0)
			assert_int_equal(strlen(head_value(h.fields, &a)),
					 n < 9 ? 0 : n < 12 ? n - 9 : 3);
		arena_free(&a);
		free(text);
	}
}

struct section {
	const char *text;
	size_t n, fields, size;
};

/* F46: what is a field, and where the body begins. */
static const struct section sections[] = {
	{ HEAD(""), 0, 0 },
	{ HEAD("\n"), 0, 1 },
	{ HEAD("\r\n"), 0, 2 },
	{ HEAD("\r\nbody"), 0, 2 },
	{ HEAD("A: b\n\nC: d\n"), 1, 6 },
	{ HEAD("A: b\r\n\r\nC: d\r\n"), 1, 8 },
	{ HEAD("A: b\nC: d"), 2, 9 },
	{ HEAD("no colon\nA: b\n\n"), 1, 15 },
	{ HEAD("no colon\n folded: x\nA: b\n\n"), 1, 26 },
	{ HEAD(" folded: x\nA: b\n\n"), 1, 17 },
	{ HEAD("From bob@x Fri Jan 27 12:19:20 2023\nA: b\n"), 1, 41 },
	{ HEAD(": b\nA: b\n"), 1, 9 },
	{ HEAD("A\xc3\xbc: b\nA\x01: b\nA\x7f: b\n"), 0, 19 },
	{ HEAD("A: b\n \n c\n\nD: e\n"), 1, 11 },
	{ HEAD("A\n: b\n"), 0, 6 },
	{ HEAD("A: b\rB: c\n"), 1, 10 },
};

static void
knows_fields_from_other_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sections); i++) {
		const struct section *s = &sections[i];
		char *text = exactly(s->text, s->n);
		struct arena a = { NULL };
		struct head h;

		ROW(s->text);
		head_read(&h, text, s->n, &a);
		assert_int_equal(h.n, s->fields);
		assert_int_equal(h.size, s->size);
		assert_false(h.limits);
		arena_free(&a);
		free(text);
	}
}

static void
gives_each_field_of_a_name(void **state)
{
	static const char text[] = "To: a\nX: b\nTO : c\nTo-Do: d\nto: e\n\n"
				   "To: f\n";
	static const char *const values[] = { "a", "c", "e" };
	struct arena a = { NULL };
	const struct head_field *f = NULL;
	struct head h;

	(void)state;
	head_read(&h, text, sizeof(text) - 1, &a);
	for (size_t i = 0; i < COUNT(values); i++) {
		f = head_next(&h, "To", f);
		assert_non_null(f);
		assert_string_equal(head_value(f, &a), values[i]);
	}
	assert_null(head_next(&h, "To", f));
	assert_null(head_next(&h, "T", NULL));
	arena_free(&a);
}

static void
takes_fields_one_by_one(void **state)
{
	char name[] = "Subject", value[] = "a\n\tb";
	struct arena a = { NULL };
	struct head h = { 0 };

	(void)state;
	head_add(&h, name, value, &a);
	memset(name, '#', sizeof(name) - 1);
	memset(value, '#', sizeof(value) - 1);
	head_add(&h, "To \t", "", &a);
	head_add(&h, "", "x", &a);
	head_add(&h, "a b", "x", &a);
	head_add(&h, "a:", "x", &a);
	head_add(&h, "a\n", "x", &a);
	head_add(&h, "\xc3\xbc", "x", &a);
	assert_int_equal(h.n, 2);
	assert_string_equal(head_value(head_next(&h, "subject", NULL), &a),
			    "a\tb");
	assert_string_equal(head_value(head_next(&h, "to", NULL), &a), "");
	assert_false(h.limits);
	arena_free(&a);
}

static char *
filled(size_t n, char c)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

/* A value one byte too long is cut, a name is left out. */
static void
cuts_a_long_field(void **state)
{
	char *long_text = filled(HEAD_FIELD_MAX + 1, 'x');

	(void)state;
	for (size_t n = HEAD_FIELD_MAX - 2; n <= HEAD_FIELD_MAX; n++) {
		struct arena a = { NULL };
		struct head h = { 0 };

		head_add(&h, "A", long_text + HEAD_FIELD_MAX + 1 - n, &a);
		assert_int_equal(h.n, 1);
		assert_int_equal(h.limits, n + 1 > HEAD_FIELD_MAX);
		assert_int_equal(h.fields[0].value_n,
				 n < HEAD_FIELD_MAX ? n : HEAD_FIELD_MAX - 1);
		head_add(&h, long_text, "x", &a);
		assert_true(h.limits);
		assert_int_equal(h.n, 1);
		arena_free(&a);
	}
	free(long_text);
}

/* F46: 500,000 fields; the last one's name is not among those looked at. */
static void
looks_at_so_many_fields(void **state)
{
	static const char to[] = "To: a@b\r\n", end[] = "Z: y\r\n\r\n";
	const size_t many = 500000, n = many * (sizeof(to) - 1);
	char *text = malloc(n + sizeof(end));
	struct arena a = { NULL };
	struct head h;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < many; i++)
		memcpy(text + i * (sizeof(to) - 1), to, sizeof(to) - 1);
	memcpy(text + n, end, sizeof(end));
	head_read(&h, text, n + sizeof(end) - 1, &a);
	assert_int_equal(h.n, HEAD_FIELDS_MAX);
	assert_int_equal(h.size, n + sizeof(end) - 1);
	assert_true(h.limits);
	assert_null(head_next(&h, "Z", NULL));
	head_read(&h, text, HEAD_FIELDS_MAX * (sizeof(to) - 1), &a);
	assert_int_equal(h.n, HEAD_FIELDS_MAX);
	assert_false(h.limits);
	free(text);
	arena_free(&a);
}

static void
looks_at_so_many_bytes(void **state)
{
	char *value = filled(HEAD_FIELD_MAX - 1, 'x');
	struct arena a = { NULL };
	struct head h = { 0 };
	size_t sum = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		head_add(&h, "A", value, &a);
	for (size_t i = 0; i < h.n; i++)
		sum += h.fields[i].name_n + h.fields[i].value_n;
	assert_int_equal(h.n, HEAD_BYTES_MAX / HEAD_FIELD_MAX + 1);
	assert_int_equal(sum, HEAD_BYTES_MAX);
	assert_true(h.limits);
	free(value);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_field),
		cmocka_unit_test(a_tab_is_a_byte_as_any),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(a_cut_head_gives_what_is_there),
		cmocka_unit_test(knows_fields_from_other_lines),
		cmocka_unit_test(gives_each_field_of_a_name),
		cmocka_unit_test(takes_fields_one_by_one),
		cmocka_unit_test(cuts_a_long_field),
		cmocka_unit_test(looks_at_so_many_fields),
		cmocka_unit_test(looks_at_so_many_bytes),
	};

	return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
