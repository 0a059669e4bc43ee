#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "milter/bulk.h"
#include "milter/keep.h"
#include "milter/record.h"
#include "filter-help.h"
#include "scratch.h"

static void
bulk_is(struct bulk *b, const char *wanted, size_t n)
{
	struct payload_source s;
	struct payload_piece memory;
	struct err e;
	bool full;
	char *data = malloc(n + 1);
	size_t got;

	assert_int_equal(bulk_source(b, &s, &memory, &full, &e), 0);
	got = s.pieces_n > 0 ? memory.n : 0;
	assert_int_equal(got + s.file_n, n);
	if (got > 0)
		memcpy(data, memory.data, got);
	if (s.file_n > 0)
		assert_int_equal(pread(s.file, data + got, s.file_n, 0),
				 s.file_n);
	assert_memory_equal(data, wanted, n);
	free(data);
}

static bool no_nameless;

/* A file system that has no files without a name. */
int
openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (no_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, name, flags, mode);
}

static void
leaves_no_name(void **state)
{
	static char text[BULK_MEMORY + 1];
	char *dir = scratch_new();
	struct bulk b[2];

	(void)state;
	no_nameless = true;
	for (size_t i = 0; i < 2; i++) {
		bulk_begin(&b[i], dir);
		bulk_add(&b[i], text, sizeof(text));
		assert_true(b[i].is_file);
	}
	no_nameless = false;
	assert_int_equal(scratch_entries(dir), 0);
	for (size_t i = 0; i < 2; i++) {
		bulk_is(&b[i], text, sizeof(text));
		bulk_end(&b[i]);
	}
	scratch_free(dir);
}

/* Neither memory nor disk is filled by what nothing can keep. */
static void
drops_what_is_too_large(void **state)
{
	static char text[1 << 20];
	char *dir = scratch_new();
	struct payload_source s;
	struct payload_piece memory;
	struct bulk b;
	struct err e;
	bool full;

	(void)state;
	bulk_begin(&b, dir);
	for (size_t i = 0; i < FORMAT_RAW_MAX / sizeof(text); i++)
		bulk_add(&b, text, sizeof(text));
	assert_int_equal(bulk_source(&b, &s, &memory, &full, &e), 0);
	assert_int_equal(s.file_n, FORMAT_RAW_MAX);
	bulk_add(&b, text, 1);
	assert_false(b.is_file);
	bulk_add(&b, text, sizeof(text));
	assert_int_equal(bulk_source(&b, &s, &memory, &full, &e), -1);
	assert_int_equal(e.kind, ERR_PERM);
	assert_non_null(strstr(e.text, "128 MiB"));
	bulk_end(&b);
	scratch_free(dir);
}

/* A disk that fails is an error; mapped, it would end the program. */
static void
outlives_a_file_that_was_cut(void **state)
{
	static char text[2 * BULK_MEMORY];
	char *dir = scratch_new();
	struct packer *k = packer_new();
	struct payload_source s;
	struct payload_piece memory;
	struct payload p;
	struct bulk b;
	struct err e;
	bool full;

	(void)state;
	bulk_begin(&b, dir);
	bulk_add(&b, text, sizeof(text));
	assert_int_equal(ftruncate(b.fd, BULK_MEMORY), 0);
	assert_int_equal(bulk_source(&b, &s, &memory, &full, &e), 0);
	assert_int_equal(payload_pack(k, 3, &s, &p, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	packer_free(k);
	bulk_end(&b);
	scratch_free(dir);
}

/* In memory, at its limit, one byte beyond, and far beyond. */
static void
keeps_all_sizes(void **state)
{
	static const size_t sizes[] = {
		0, 1, 16384, 16385, BULK_MEMORY, BULK_MEMORY + 1, 5000000
	};
	char *dir = scratch_new();
	char *text = malloc(5000000);

	(void)state;
	for (size_t i = 0; i < 5000000; i++)
		text[i] = (char)(i * 7 + i / 251);
	for (size_t k = 0; k < COUNT(sizes); k++) {
		struct bulk b;

		bulk_begin(&b, dir);
		for (size_t i = 0; i < sizes[k]; i += 65535)
			bulk_add(&b, text + i, sizes[k] - i < 65535
				 ? sizes[k] - i : 65535);
		assert_int_equal(b.is_file, sizes[k] > BULK_MEMORY);
		bulk_is(&b, text, sizes[k]);
		bulk_end(&b);
	}
	free(text);
	scratch_free(dir);
}

static void
tells_of_a_failure(void **state)
{
	static char text[BULK_MEMORY + 1];
	struct payload_source s;
	struct payload_piece memory;
	struct bulk b;
	struct err e;
	bool full;

	(void)state;
	bulk_begin(&b, "/nowhere/at/all");
	bulk_add(&b, text, sizeof(text));
	bulk_add(&b, text, sizeof(text));
	assert_int_equal(bulk_source(&b, &s, &memory, &full, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_false(full);
	bulk_end(&b);
}

static void
keep_mail(struct keep *k, struct arena *a, const char *id, const char *body)
{
	keep_begin(k, "/", NULL, a);
	keep_field(k, "Message-ID", id, false);
	keep_field(k, "X-Fold", " a\n\tb\n c", false);
	keep_field(k, "X-Blank", "eaten", true);
	keep_field(k, "X-Empty", "", false);
	keep_header_end(k);
	keep_body(k, body, strlen(body));
}

static void
builds_the_mail(void **state)
{
	static const char wanted[] = "Message-ID:<1>\r\nX-Fold: a\r\n\tb\r\n c"
		"\r\nX-Blank: eaten\r\nX-Empty:\r\n\r\nText\r\n";
	struct arena a = { NULL };
	struct keep k;

	(void)state;
	keep_mail(&k, &a, "<1>", "Text\r\n");
	bulk_is(&k.bulk, wanted, strlen(wanted));
	keep_end(&k);
	keep_end(&k);
	arena_free(&a);
}

/* What this server or one before it wrote above it does not count. */
static void
knows_the_same(void **state)
{
	static const struct {
		const char *id, *more, *body;
		bool same;
	} rows[] = {
		{ "<1>", NULL, "x", true },
		{ "<1>", "Received", "x", true },
		{ "<2>", NULL, "x", false },
		{ "<1>", NULL, "y", false },
		{ "<1>", "Date", "x", false },
	};
	struct arena a = { NULL };
	uint8_t first[HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct keep k;

		keep_mail(&k, &a, rows[i].id, rows[i].body);
		if (rows[i].more != NULL)
			keep_field(&k, rows[i].more, "z", false);
		keep_close(&k);
		if (i == 0)
			memcpy(first, k.same, HASH_SIZE);
		assert_int_equal(memcmp(first, k.same, HASH_SIZE) == 0,
				 rows[i].same);
		keep_end(&k);
	}
	arena_free(&a);
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* Hostile bytes do not spoil the JSON; what is no UTF-8 can be had back. */
static void
writes_it_down(void **state)
{
	char *mail[] = { (char *)(size_t) "<a\"\\@example.net>",
			 (char *)(size_t) "SIZE=10", NULL };
	char *rcpt[] = { (char *)(size_t) "<@mx.example:\xc3\xa4@example.com>",
			 (char *)(size_t) "ORCPT=rfc822;x@y", NULL };
	struct session s = { .helo = "\xff\x01" };
	const bool wanted[] = { true };
	struct stage t;
	struct buf out;
	json_t *o, *e;

	(void)state;
	stage_begin(&t, "");
	stage_rules(&t, RULES(
		RULE("none", CONDITION("SUBJECT", "EQUALS", "none"),
		     ADD("X-A", "a")) ","
		RULE("one", "", ADD("X-A", "b"))));
	stage_mail(&t, "192.0.2.1", mail);
	assert_true(stage_rcpt(&t, "<\xc3\xa4@example.com>"));
	keep_begin(&t.m.keep, "/", mail, &t.m.memory);
	keep_recipient(&t.m.keep, rcpt, &t.m.memory);
	stage_header(&t, "From: x\n");
	stage_finish(&t);
	s.message = t.m;
	buf_init(&out, RECORD_MAX);
	record_write(&(struct record){ &s, &t.j, &t.p, wanted }, &out);
	o = json_loads(out.data, 0, NULL);
	assert_non_null(o);
	assert_string_equal(text_of(json_object_get(o, "helo"), "base64"),
			    "/wE=");
	assert_string_equal(text_of(json_object_get(o, "client"), "address"),
			    "192.0.2.1");
	e = json_object_get(json_object_get(o, "envelope"), "from");
	assert_string_equal(text_of(e, "address"), t.m.mail_from);
	assert_string_equal(json_string_value(json_array_get(json_object_get(
		e, "parameters"), 0)), "SIZE=10");
	assert_null(json_object_get(e, "written"));
	e = json_array_get(json_object_get(json_object_get(
		o, "envelope"), "recipients"), 0);
	assert_string_equal(text_of(e, "address"), "\xc3\xa4@example.com");
	assert_string_equal(text_of(e, "written"), rcpt[0]);
	assert_string_equal(json_string_value(json_array_get(json_object_get(
		e, "parameters"), 0)), rcpt[1]);
	assert_string_equal(json_string_value(json_array_get(json_object_get(
		o, "archived_for"), 0)), "\xc3\xa4@example.com");
	assert_string_equal(json_string_value(json_array_get(json_object_get(
		o, "trail"), 0)),
		"\xc3\xa4@example.com: rule one: AddHeader");
	/* A rule that did not match says so by not being there. */
	e = json_object_get(json_array_get(json_object_get(json_object_get(
		o, "verdict"), "recipients"), 0), "rules");
	assert_int_equal(json_array_size(e), 1);
	assert_string_equal(text_of(json_array_get(e, 0), "name"), "one");
	json_decref(o);
	buf_free(&out);
	keep_end(&t.m.keep);
	stage_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_all_sizes),
		cmocka_unit_test(tells_of_a_failure),
		cmocka_unit_test(leaves_no_name),
		cmocka_unit_test(drops_what_is_too_large),
		cmocka_unit_test(outlives_a_file_that_was_cut),
		cmocka_unit_test(builds_the_mail),
		cmocka_unit_test(knows_the_same),
		cmocka_unit_test(writes_it_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
