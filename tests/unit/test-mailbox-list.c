#include <config.h>

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "mailbox-help.h"

#define ID_D "ffffffffffffffffffffffffffffffff"
#define NAME(id) "1." "F" id ".fallbackmx,S=1"

static const char list[] = "n/" NAME(ID_C) "\0c/" NAME(ID_A) ":2,S\0"
	"none of ours\0\0n/" NAME(ID_B) "\0n/1.Fshort.fallbackmx\0"
	"x/" NAME(ID_D) "\0/" NAME(ID_D) "\0" NAME(ID_D) "\0n/../" NAME(ID_D)
	"\0new/" NAME(ID_D) "\0cut";

static void
a_list_is_sorted_and_found_in(void **state)
{
	static const struct {
		const char *id, *name;
	} rows[] = {
		{ ID_A, "c/" NAME(ID_A) ":2,S" }, { ID_B, "n/" NAME(ID_B) },
		{ ID_C, "n/" NAME(ID_C) },
		{ "00000000000000000000000000000000", NULL },
		{ "11111111111111111111111111111112", NULL },
		{ ID_D, NULL },
	};
	struct answer w = { .a = { .op = DELIVERY_LIST } };
	int file = memory(list, sizeof(list) - 1, true);
	struct names names;
	struct err e;

	(void)state;
	answer(&w, file);
	fsio_close(&file);
	assert_int_equal(mailbox_list(&box, false, &names, &e), 0);
	assert_int_equal(names.n, 3);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *found = names_find(&names, rows[i].id);

		ROW(rows[i].id);
		if (rows[i].name == NULL)
			assert_null(found);
		else
			assert_string_equal(found, rows[i].name);
	}
	names_free(&names);
	assert_null(names_find(&names, ID_A));
	names_free(&names);
}

static void
a_stage_holds_names_only(void **state)
{
	static const char stage[] = NAME(ID_A) "\0n/" NAME(ID_B) "\0"
		NAME(ID_C) ":2,S\0" NAME(ID_D) "/x";
	struct answer w = { .a = { .op = DELIVERY_LIST } };
	int file = memory(stage, sizeof(stage), true);
	struct names names;
	struct err e;

	(void)state;
	answer(&w, file);
	fsio_close(&file);
	assert_int_equal(mailbox_list(&box, true, &names, &e), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.list[0], NAME(ID_A));
	names_free(&names);
}

static void
what_is_no_list_is_an_error(void **state)
{
	struct answer w = { .a = { .op = DELIVERY_LIST } };

	(void)state;
	for (int way = 0; way < 5; way++) {
		struct names names = { .n = 7 };
		struct err e = { .kind = ERR_STOP };
		int end[2] = { -1, -1 }, fd = -1;

		printf("# way %d\n", way);
		if (way == 1)
			fd = memory(list, sizeof(list), false);
		else if (way == 2)
			fd = open("/proc/self/status", O_RDONLY);
		else if (way == 3)
			assert_int_equal(pipe(end), 0);
		else if (way == 4)
			fd = open("/", O_RDONLY | O_DIRECTORY);
		answer(&w, way == 3 ? end[0] : fd);
		fsio_close(&fd);
		fsio_close(&end[0]);
		fsio_close(&end[1]);
		assert_int_equal(mailbox_list(&box, false, &names, &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_int_equal(names.n, 0);
		assert_null(names.list);
	}
}

/* A failure that brings a descriptor: nobody may keep it. */
static void
a_failed_answer_leaves_no_descriptor(void **state)
{
	static const uint32_t ops[] = { DELIVERY_LIST, DELIVERY_OPEN };
	int before = scratch_descriptors();
	uint8_t hash[HASH_SIZE] = { 0 };

	(void)state;
	for (int way = 0; way < 2; way++) {
		struct answer w = { .a = { .op = ops[way], .text = "no",
					   .status = DELIVERY_FAILED } };
		int file = memory("x", 1, true);
		struct names names;
		struct err e;
		bool same;

		answer(&w, file);
		fsio_close(&file);
		if (way == 0)
			assert_int_equal(mailbox_list(&box, true, &names, &e),
					 -1);
		else
			assert_int_equal(mailbox_holds(&box, "n/x", 0, 1, hash,
						       &same, &e), -1);
		assert_int_equal(scratch_descriptors(), before);
	}
}

struct holding {
	const char *where, *file;	/* NULL: there is none */
	bool sealed;
	uint64_t added, size;
	bool same;
};

static const struct holding holdings[] = {
	{ "n/" NAME(ID_A), "lines content", true, 6, 7, true },
	{ "c/" NAME(ID_A) ":2,S", "content", true, 0, 7, true },
	{ "n/" NAME(ID_A), "LINES content", true, 6, 7, true },
	{ "n/" NAME(ID_A), "lines cOntent", true, 6, 7, false },
	{ "n/" NAME(ID_A), "lines content", true, 5, 7, false },
	{ "n/" NAME(ID_A), "lines content", true, 6, 8, false },
	{ "n/" NAME(ID_A), "lines content.", true, 6, 7, false },
	{ "n/" NAME(ID_A), "lines conten", true, 6, 7, false },
	{ "n/" NAME(ID_A), "lines content", false, 6, 7, false },
	{ "n/" NAME(ID_A), "", true, 6, 7, false },
	{ "n/" NAME(ID_A), NULL, true, 6, 7, false },
};

static void
a_file_holds_a_content_or_not(void **state)
{
	uint8_t digest[HASH_SIZE];
	struct hash h = { .ctx = NULL };

	(void)state;
	hash_begin(&h);
	hash_add(&h, "content", 7);
	hash_end(&h, digest);
	hash_free(&h);
	for (size_t i = 0; i < COUNT(holdings); i++) {
		const struct holding *t = &holdings[i];
		struct answer w = { .a = { .op = DELIVERY_OPEN,
				    .status = t->file ? DELIVERY_OK
						      : DELIVERY_MISSING } };
		struct delivery_request q;
		bool same = !t->same;
		struct err e;
		int fd = -1;

		printf("# row %zu\n", i);
		if (t->file != NULL)
			fd = memory(t->file, strlen(t->file), t->sealed);
		answer(&w, fd);
		fsio_close(&fd);
		assert_int_equal(mailbox_holds(&box, t->where, t->added,
					       t->size, digest, &same, &e), 0);
		assert_int_equal(same, t->same);
		assert_int_equal(packet_receive(theirs, &q, sizeof(q), NULL,
						0), sizeof(q));
		assert_int_equal(q.op, DELIVERY_OPEN);
		assert_string_equal(q.name, t->where + 2);
		assert_int_equal(q.flags, t->where[0] == 'c' ? DELIVERY_CUR
							     : 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_box, close_box)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_sorted_and_found_in),
		TEST(a_stage_holds_names_only),
		TEST(what_is_no_list_is_an_error),
		TEST(a_failed_answer_leaves_no_descriptor),
		TEST(a_file_holds_a_content_or_not),
	};

	return cmocka_run_group_tests_name("mailbox-list", tests, NULL, NULL);
}
