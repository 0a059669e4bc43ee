#include <config.h>

#include "ledger-help.h"

static void
objects_are_found_again(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_object o = object(1), again = object(1), other;
	struct err e = { .text = "" };

	assert_int_equal(ledger_find(l, o.oid, &other, &e), 0);
	assert_int_equal(other.id, 0);
	begin(l);
	assert_int_equal(ledger_add(l, SOURCE, &o, &e), 0);
	assert_true(o.id > 0);
	assert_int_equal(ledger_add(l, SOURCE, &again, &e), 0);
	assert_true(again.id == o.id);
	other = object(2);
	assert_int_equal(ledger_add(l, SOURCE, &other, &e), 0);
	assert_true(other.id != o.id);
	commit(l);
	assert_int_equal(ledger_find(l, o.oid, &again, &e), 0);
	assert_true(again.id == o.id);
	assert_false(again.deleted);
	begin(l);
	assert_int_equal(ledger_deleted(l, o.id, 1700000000, &e), 0);
	commit(l);
	assert_int_equal(ledger_find(l, o.oid, &again, &e), 0);
	assert_true(again.deleted);
	assert_int_equal(ledger_find(l, other.oid, &again, &e), 0);
	assert_false(again.deleted);
	ledger_close(l);
}

static const enum row_state all_states[] = {
	ROW_INTENT, ROW_DONE, ROW_DUPLICATE, ROW_SUSPECT,
};

static void
a_row_has_one_state(const char *dir)
{
	struct ledger *l = opened(dir);
	int64_t id = added(l, 1);

	assert_int_equal(state_of(l, id, 1), ROW_NONE);
	for (size_t i = 0; i < COUNT(all_states); i++) {
		set(l, id, 1, all_states[i]);
		assert_int_equal(state_of(l, id, 1), all_states[i]);
		assert_int_equal(state_of(l, id, 2), ROW_NONE);
		assert_int_equal(state_of(l, id + 1, 1), ROW_NONE);
	}
	ledger_close(l);
}

/* Another run may have been faster. */
static void
a_row_moves_only_from_where_it_is(const char *dir)
{
	struct ledger *l = opened(dir);
	int64_t id = added(l, 1);

	for (size_t was = 0; was < COUNT(all_states); was++)
		for (size_t from = 0; from < COUNT(all_states); from++)
			for (size_t to = 0; to < COUNT(all_states); to++) {
				const struct ledger_row r = {
					.object = id, .mailbox = 1,
					.boot = "",
				};
				struct err e;

				set(l, id, 1, all_states[was]);
				set(l, id, 2, ROW_INTENT);
				assert_int_equal(ledger_move(l, &r,
					all_states[from], all_states[to],
					&e), 0);
				assert_int_equal(state_of(l, id, 1),
					all_states[was == from ? to : was]);
				assert_int_equal(state_of(l, id, 2),
						 ROW_INTENT);
			}
	ledger_close(l);
}

static void
only_open_rows_are_forgotten(const char *dir)
{
	struct ledger *l = opened(dir);
	int64_t id = added(l, 1);

	for (size_t i = 0; i < COUNT(all_states); i++) {
		const struct ledger_row r = { .object = id, .mailbox = 1 };
		const enum row_state s = all_states[i];
		struct err e;

		set(l, id, 1, s);
		set(l, id, 2, ROW_INTENT);
		assert_int_equal(ledger_forget(l, &r, &e), 0);
		assert_int_equal(state_of(l, id, 1), s == ROW_INTENT ||
				 s == ROW_SUSPECT ? ROW_NONE : s);
		assert_int_equal(state_of(l, id, 2), ROW_INTENT);
	}
	ledger_close(l);
}

static void
rows_come_back_as_they_were(const char *dir)
{
	struct ledger *l = opened(dir);
	const struct ledger_object o = object(7);
	struct arena a = { NULL };
	struct ledger_row *list;
	struct err e;
	size_t n;

	set(l, added(l, 7), 3, ROW_INTENT);
	assert_int_equal(ledger_rows(l, 3, ROW_INTENT, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].mailbox, 3);
	assert_int_equal(list[0].state, ROW_INTENT);
	assert_string_equal(list[0].name, "name");
	assert_string_equal(list[0].boot, "boot");
	assert_string_equal(list[0].key, o.key);
	assert_int_equal(list[0].added, 99);
	assert_true(list[0].content_size == o.content_size);
	assert_memory_equal(list[0].content, o.content, HASH_SIZE);
	arena_free(&a);
	ledger_close(l);
}

static void
rows_are_those_asked_for(const char *dir)
{
	struct ledger *l = opened(dir);
	struct arena a = { NULL };
	struct ledger_row *list;
	struct err e;
	size_t n;

	/* The later arrival has the smaller id. */
	for (int i = 40; i > 0; i--) {
		int64_t id = added(l, i);

		set(l, id, 1, i % 2 ? ROW_INTENT : ROW_DONE);
		set(l, id, 2, ROW_INTENT);
	}
	assert_int_equal(ledger_rows(l, 1, ROW_INTENT, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 20);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(list[i].mailbox, 1);
		assert_string_equal(list[i].key,
				    object((int)(2 * i + 1)).key);
	}
	assert_int_equal(ledger_rows(l, 1, ROW_DONE, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 20);
	/* One that is not in the ledger yet has none, whoever has some. */
	assert_int_equal(ledger_rows(l, 0, ROW_INTENT, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ledger_rows(l, 3, ROW_INTENT, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ledger_rows(l, 1, ROW_SUSPECT, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 0);
	arena_free(&a);
	ledger_close(l);
}

struct twin {
	const char *ses_id;
	int body, mailbox;
	enum row_state state, answer;
};

/* The first object's delivery to mailbox 1; the second has id "x", body 1. */
static const struct twin twins[] = {
	{ "x", 1, 1, ROW_INTENT, ROW_INTENT },
	{ "x", 1, 1, ROW_DONE, ROW_DONE },
	{ "x", 1, 1, ROW_SUSPECT, ROW_SUSPECT },
	{ "x", 1, 1, ROW_DUPLICATE, ROW_NONE },
	{ "x", 2, 1, ROW_DONE, ROW_NONE },
	{ "y", 1, 1, ROW_DONE, ROW_NONE },
	{ "", 1, 1, ROW_DONE, ROW_NONE },
	{ "x", 1, 2, ROW_DONE, ROW_NONE },
};

static void
a_twin_is_the_same_mail_in_the_same_mailbox(const char *dir)
{
	struct ledger *l = opened(dir);
	struct err e;

	for (size_t i = 0; i < COUNT(twins); i++) {
		struct ledger_object first = object(1), second = object(2);
		enum row_state answer = ROW_SUSPECT;

		printf("# row %zu\n", i);
		begin(l);
		first.ses_id = twins[i].ses_id;
		memset(first.body, twins[i].body, HASH_SIZE);
		second.ses_id = "x";
		memset(second.body, 1, HASH_SIZE);
		assert_int_equal(ledger_add(l, SOURCE, &first, &e), 0);
		set(l, first.id, twins[i].mailbox, twins[i].state);
		assert_int_equal(ledger_twin(l, &second, 1, &answer, &e), 0);
		assert_int_equal(answer, twins[i].answer);
		/* Nobody is his own twin, and mail without id has none. */
		assert_int_equal(ledger_twin(l, &first, twins[i].mailbox,
					     &answer, &e), 0);
		assert_int_equal(answer, ROW_NONE);
		second.ses_id = "";
		assert_int_equal(ledger_twin(l, &second, 1, &answer, &e), 0);
		assert_int_equal(answer, ROW_NONE);
		ledger_rollback(l);
	}
	ledger_close(l);
}

struct settling {
	enum row_state own[2];	/* in mailboxes 1 and 2 */
	enum row_state twin;	/* of the first, in mailbox 1 */
	bool settled;
};

static const struct settling settlings[] = {
	{ { ROW_NONE, ROW_NONE }, ROW_NONE, false },
	{ { ROW_INTENT, ROW_NONE }, ROW_NONE, false },
	{ { ROW_SUSPECT, ROW_NONE }, ROW_NONE, false },
	{ { ROW_DONE, ROW_NONE }, ROW_NONE, true },
	{ { ROW_DONE, ROW_DONE }, ROW_NONE, true },
	{ { ROW_DONE, ROW_INTENT }, ROW_NONE, false },
	{ { ROW_SUSPECT, ROW_DONE }, ROW_NONE, false },
	{ { ROW_DUPLICATE, ROW_NONE }, ROW_DONE, true },
	{ { ROW_DUPLICATE, ROW_DONE }, ROW_DONE, true },
	{ { ROW_DUPLICATE, ROW_INTENT }, ROW_DONE, false },
	{ { ROW_DUPLICATE, ROW_NONE }, ROW_INTENT, false },
	{ { ROW_DUPLICATE, ROW_NONE }, ROW_SUSPECT, false },
	{ { ROW_DUPLICATE, ROW_NONE }, ROW_DUPLICATE, false },
	{ { ROW_DUPLICATE, ROW_NONE }, ROW_NONE, false },
};

/* Two objects of one mail; the answer's own is in o. */
static void
settle(struct ledger *l, const struct settling *t, struct ledger_object *o)
{
	struct ledger_object twin = object(2);
	struct err e;

	*o = object(1);
	o->ses_id = twin.ses_id = "x";
	memcpy(twin.body, o->body, HASH_SIZE);
	assert_int_equal(ledger_add(l, SOURCE, o, &e), 0);
	assert_int_equal(ledger_add(l, SOURCE, &twin, &e), 0);
	for (int i = 0; i < 2; i++)
		if (t->own[i] != ROW_NONE)
			set(l, o->id, i + 1, t->own[i]);
	if (t->twin != ROW_NONE)
		set(l, twin.id, 1, t->twin);
}

static void
settled_is_what_is_done_everywhere(const char *dir)
{
	struct ledger *l = opened(dir);

	for (size_t i = 0; i < COUNT(settlings); i++) {
		struct ledger_object o;
		bool settled = !settlings[i].settled;
		struct err e;

		printf("# row %zu\n", i);
		begin(l);
		settle(l, &settlings[i], &o);
		assert_int_equal(ledger_settled(l, &o, &settled, &e), 0);
		assert_int_equal(settled, settlings[i].settled);
		ledger_rollback(l);
	}
	ledger_close(l);
}

static void
as_many_rows_as_asked_for(const char *dir)
{
	static const enum row_state both[] = { ROW_INTENT, ROW_DONE };
	struct ledger *l = opened(dir);

	begin(l);
	for (size_t i = 0; i < COUNT(both); i++) {
		for (int k = 1; k <= 5; k++)
			set(l, added(l, k), 1, both[i]);
		for (int limit = -1; limit <= 7; limit++) {
			struct arena a = { NULL };
			struct ledger_row *list;
			struct err e;
			size_t n;

			assert_int_equal(ledger_rows(l, 1, both[i], limit, &a,
						     &list, &n, &e), 0);
			assert_int_equal(n, limit < 0 || limit > 5 ? 5
								   : limit);
			for (size_t k = 0; k < n; k++)
				assert_string_equal(list[k].key,
					object((int)k + 1).key);
			arena_free(&a);
		}
	}
	ledger_close(l);
}

static void
a_file_that_is_done_is_known(const char *dir)
{
	struct ledger *l = opened(dir);
	int64_t id = added(l, 1);
	struct err e;
	bool done;

	for (size_t i = 0; i < COUNT(all_states); i++) {
		set(l, id, 1, all_states[i]);
		assert_int_equal(ledger_is_done(l, 1, "name", &done, &e), 0);
		assert_int_equal(done, all_states[i] == ROW_DONE);
	}
	set(l, id, 1, ROW_DONE);
	assert_int_equal(ledger_is_done(l, 2, "name", &done, &e), 0);
	assert_false(done);
	assert_int_equal(ledger_is_done(l, 1, "nam", &done, &e), 0);
	assert_false(done);
	ledger_close(l);
}

static void
a_moved_row_has_the_new_boot_id(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_row r = { .mailbox = 1, .boot = "another" };
	struct arena a = { NULL };
	struct ledger_row *list;
	struct err e;
	size_t n;

	r.object = added(l, 1);
	set(l, r.object, 1, ROW_INTENT);
	assert_int_equal(ledger_move(l, &r, ROW_DONE, ROW_DONE, &e), 0);
	assert_int_equal(ledger_rows(l, 1, ROW_INTENT, -1, &a, &list, &n, &e),
			 0);
	assert_string_equal(list[0].boot, "boot");
	assert_int_equal(ledger_move(l, &r, ROW_INTENT, ROW_SUSPECT, &e), 0);
	assert_int_equal(ledger_rows(l, 1, ROW_SUSPECT, -1, &a, &list, &n,
				     &e), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].boot, "another");
	arena_free(&a);
	ledger_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(objects_are_found_again),
		plain_unit_test(a_row_has_one_state),
		plain_unit_test(a_row_moves_only_from_where_it_is),
		plain_unit_test(only_open_rows_are_forgotten),
		plain_unit_test(rows_come_back_as_they_were),
		plain_unit_test(rows_are_those_asked_for),
		plain_unit_test(a_twin_is_the_same_mail_in_the_same_mailbox),
		plain_unit_test(settled_is_what_is_done_everywhere),
		plain_unit_test(as_many_rows_as_asked_for),
		plain_unit_test(a_file_that_is_done_is_known),
		plain_unit_test(a_moved_row_has_the_new_boot_id),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
