#include <config.h>

#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "mailbox-help.h"

static void
a_request_arrives_as_it_was_sent(void **state)
{
	struct delivery_request q = { .op = DELIVERY_PUT, .size = 4711 }, got;
	char data[sizeof(q) + 8];
	struct err e;
	int fd = -1, file = memory("x", 1, true);

	(void)state;
	assert_int_equal(mailbox_send(&box, &q, "added", 5, file, &e), 0);
	assert_int_equal(packet_receive(theirs, data, sizeof(data), &fd, 0),
			 sizeof(q) + 5);
	memcpy(&got, data, sizeof(got));
	assert_memory_equal(&got, &q, sizeof(q));
	assert_memory_equal(data + sizeof(q), "added", 5);
	assert_true(fd >= 0);
	fsio_close(&fd);
	fsio_close(&file);
}

static void
an_answer_arrives_as_it_was_sent(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_HELLO, .generation = 7,
				   .uuid = "u", .count = 3 },
			    .status = { 1, 2, 3 } }, got;
	int file = memory("x", 1, true), fd = -1;
	struct err e;

	(void)state;
	answer(&w, file);
	fsio_close(&file);
	assert_int_equal(mailbox_ask(&box, DELIVERY_HELLO, 0, &got, &fd, &e),
			 0);
	assert_true(got.a.generation == 7 && got.a.count == 3);
	assert_string_equal(got.a.uuid, "u");
	assert_memory_equal(got.status, w.status, 3);
	assert_true(fd >= 0);
	fsio_close(&fd);
}

static void
an_unwanted_descriptor_is_closed(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_SYNC } }, got;
	int file = memory("x", 1, true);
	struct err e;

	(void)state;
	answer(&w, file);
	fsio_close(&file);
	assert_int_equal(mailbox_ask(&box, DELIVERY_SYNC, 0, &got, NULL, &e),
			 0);
}

static void
failed_is_told_with_its_text(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_COMMIT, .count = 2,
				   .status = DELIVERY_FAILED,
				   .text = "cannot rename x" },
			    .status = { DELIVERY_OK, DELIVERY_FAILED } }, got;
	struct err e = { .kind = ERR_STOP };

	(void)state;
	answer(&w, -1);
	assert_int_equal(mailbox_ask(&box, DELIVERY_COMMIT, 0, &got, NULL,
				     &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "cannot rename x"));
	assert_int_equal(got.a.count, 2);
	assert_int_equal(got.status[0], DELIVERY_OK);
	assert_int_equal(got.status[1], DELIVERY_FAILED);
}

/* It becomes a line of the log: err.h, "foreign bytes". */
static void
a_text_cannot_forge_the_log(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_SYNC,
				   .status = DELIVERY_FAILED,
				   .text = "x\nfallbackmx: all is well"
					   "\x1b[2J\x9b" } }, got;
	struct err e = { .text = "" };

	(void)state;
	answer(&w, -1);
	assert_int_equal(mailbox_ask(&box, DELIVERY_SYNC, 0, &got, NULL, &e),
			 -1);
	assert_non_null(strstr(e.text, "all is well"));
	for (const char *s = e.text; *s != '\0'; s++)
		assert_in_range((unsigned char)*s, 0x20, 0x7e);
}

static void
texts_that_do_not_end_are_ended(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_HELLO } }, got;
	struct err e;

	(void)state;
	memset(w.a.uuid, 'u', sizeof(w.a.uuid));
	memset(w.a.text, 't', sizeof(w.a.text));
	answer(&w, -1);
	assert_int_equal(mailbox_ask(&box, DELIVERY_HELLO, 0, &got, NULL, &e),
			 0);
	assert_int_equal(strlen(got.a.uuid), DELIVERY_UUID_LEN);
	w.a.status = DELIVERY_FAILED;
	answer(&w, -1);
	assert_int_equal(mailbox_ask(&box, DELIVERY_HELLO, 0, &got, NULL, &e),
			 -1);
	assert_in_range(strlen(e.text), 100, sizeof(e.text) - 1);
}

struct nonsense {
	size_t n;		/* bytes that are sent */
	uint32_t count;
};

#define HEAD sizeof(struct delivery_answer)

static const struct nonsense nonsense[] = {
	{ 1, 0 }, { HEAD - 1, 0 }, { HEAD, 1 }, { HEAD + 1, 0 },
	{ HEAD + 2, 3 }, { HEAD, UINT32_MAX }, { HEAD + 256, 257 },
	{ HEAD + 256, 255 },
};

static void
nonsense_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(nonsense); i++) {
		struct answer w = { .a = { .op = DELIVERY_LIST,
					   .count = nonsense[i].count } };
		struct answer got;
		int file = memory("x", 1, true), fd = -1;
		struct err e = { .kind = ERR_STOP };

		printf("# row %zu\n", i);
		answer_with(&w, nonsense[i].n, file);
		fsio_close(&file);
		assert_int_equal(mailbox_ask(&box, DELIVERY_LIST, 0, &got, &fd,
					     &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_non_null(strstr(e.text, "/m/alice"));
		assert_int_equal(got.a.count, 0);
		/* The caller's, if there is one. */
		fsio_close(&fd);
	}
}

static void
an_answer_to_something_else_is_an_error(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_COMMIT, .count = 1 } }, got;
	struct err e = { .kind = ERR_STOP };

	(void)state;
	answer(&w, -1);
	assert_int_equal(mailbox_ask(&box, DELIVERY_SYNC, 0, &got, NULL, &e),
			 -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(got.a.count, 0);
}

static void
an_answer_too_long_is_an_error(void **state)
{
	static char large[PACKET_MAX / 2];
	struct answer got;
	struct err e = { .kind = ERR_STOP };

	(void)state;
	assert_int_equal(packet_send(theirs, large, sizeof(large), -1), 0);
	assert_int_equal(mailbox_ask(&box, DELIVERY_SYNC, 0, &got, NULL, &e),
			 -1);
	assert_int_equal(e.kind, ERR_TEMP);
}

static void
a_deliverer_that_has_gone_is_told(void **state)
{
	const char *const names[] = { "a" };
	const struct delivery_request q = { .op = DELIVERY_SYNC };
	struct names list;
	struct answer got;
	struct err e = { .kind = ERR_STOP };
	uint8_t hash[HASH_SIZE] = { 0 };
	bool same = true;

	(void)state;
	fsio_close(&theirs);
	assert_int_equal(mailbox_receive(&box, DELIVERY_SYNC, &got, NULL,
					 &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "/m/alice"));
	e.kind = ERR_STOP;
	assert_int_equal(mailbox_send(&box, &q, NULL, 0, -1, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(mailbox_ask(&box, DELIVERY_SYNC, 0, &got, NULL, &e),
			 -1);
	assert_int_equal(mailbox_names(&box, DELIVERY_DROP, names, 1, &got,
				       &e), -1);
	assert_int_equal(mailbox_mark(&box, "01234567-89ab-4cde-8f01-"
				      "23456789abcd", &e), -1);
	assert_false(box.marked || box.touched);
	assert_int_equal(mailbox_list(&box, true, &list, &e), -1);
	assert_int_equal(list.n, 0);
	assert_int_equal(mailbox_holds(&box, "n/x", 0, 0, hash, &same, &e),
			 -1);
	assert_false(same);
}

struct marking {
	uint64_t stage, row, next;
};

static const struct marking markings[] = {
	{ 0, 0, 1 }, { 0, 5, 6 }, { 5, 0, 6 }, { 5, 7, 8 }, { 7, 7, 8 },
};

static void
a_mark_is_one_generation_on(void **state)
{
	static const char uuid[] = "01234567-89ab-4cde-8f01-23456789abcd";

	(void)state;
	for (size_t i = 0; i < COUNT(markings); i++) {
		struct answer w = { .a = { .op = DELIVERY_MARK } };
		struct delivery_request q;
		struct err e;

		box.marked = box.touched = false;
		box.mark = markings[i].stage;
		box.row.generation = markings[i].row;
		answer(&w, -1);
		assert_int_equal(mailbox_mark(&box, uuid, &e), 0);
		assert_true(box.marked && box.touched);
		assert_true(box.row.generation == markings[i].next);
		assert_int_equal(packet_receive(theirs, &q, sizeof(q), NULL,
						0), sizeof(q));
		assert_int_equal(q.op, DELIVERY_MARK);
		assert_string_equal(q.uuid, uuid);
		assert_true(q.generation == markings[i].next);
	}
}

static void
names_travel_with_their_ends(void **state)
{
	static const char *const names[] = { "one", "2", "three" };
	struct answer w = { .a = { .op = DELIVERY_COMMIT, .count = 3 },
			    .status = { DELIVERY_OK, DELIVERY_MISSING,
					DELIVERY_EXISTS } }, got;
	struct delivery_request q;
	char data[sizeof(q) + 64];
	struct err e;

	(void)state;
	answer(&w, -1);
	assert_int_equal(mailbox_names(&box, DELIVERY_COMMIT, names, 3, &got,
				       &e), 0);
	assert_memory_equal(got.status, w.status, 3);
	assert_int_equal(packet_receive(theirs, data, sizeof(data), NULL, 0),
			 sizeof(q) + 12);
	memcpy(&q, data, sizeof(q));
	assert_int_equal(q.op, DELIVERY_COMMIT);
	assert_int_equal(q.count, 3);
	assert_memory_equal(data + sizeof(q), "one\0002\0three", 12);
}

static void
each_name_needs_its_status(void **state)
{
	static const char *const names[] = { "one", "2", "three" };

	(void)state;
	for (uint32_t n = 0; n <= 5; n++) {
		struct answer w = { .a = { .op = DELIVERY_COMMIT,
					   .count = n } }, got;
		struct err e = { .text = "" };

		answer(&w, -1);
		assert_int_equal(mailbox_names(&box, DELIVERY_COMMIT, names, 3,
					       &got, &e), n == 3 ? 0 : -1);
	}
}

/* As many names of ours as a batch can have. */
static void
a_whole_batch_of_names_fits(void **state)
{
	static char text[DELIVERY_BATCH_MAX][128];
	static const char *names[DELIVERY_BATCH_MAX];
	struct answer w = { .a = { .op = DELIVERY_DROP,
				   .count = DELIVERY_BATCH_MAX } }, got;
	struct err e;

	(void)state;
	for (size_t i = 0; i < DELIVERY_BATCH_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "-9223372036854775808.F" ID_A
			 ".fallbackmx,S=18446744073709551615");
		names[i] = text[i];
	}
	answer(&w, -1);
	assert_int_equal(mailbox_names(&box, DELIVERY_DROP, names,
				       DELIVERY_BATCH_MAX, &got, &e), 0);
}

static void
closing_ends_the_deliverer(void **state)
{
	char c;

	(void)state;
	mailbox_close(&box);
	assert_int_equal(packet_receive(theirs, &c, 1, NULL, 0), 0);
	assert_int_equal(box.sock, -1);
	assert_int_equal(box.state, MAILBOX_CLOSED);
	box.state = MAILBOX_FAILED;
	mailbox_close(&box);
	assert_int_equal(box.state, MAILBOX_FAILED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_box, close_box)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_arrives_as_it_was_sent),
		TEST(an_answer_arrives_as_it_was_sent),
		TEST(an_unwanted_descriptor_is_closed),
		TEST(failed_is_told_with_its_text),
		TEST(a_text_cannot_forge_the_log),
		TEST(texts_that_do_not_end_are_ended),
		TEST(nonsense_is_an_error),
		TEST(an_answer_to_something_else_is_an_error),
		TEST(an_answer_too_long_is_an_error),
		TEST(a_deliverer_that_has_gone_is_told),
		TEST(a_mark_is_one_generation_on),
		TEST(names_travel_with_their_ends),
		TEST(each_name_needs_its_status),
		TEST(a_whole_batch_of_names_fits),
		TEST(closing_ends_the_deliverer),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
