#include <config.h>

#include "ledger-help.h"

#define NOW INT64_C(1700000000)
#define DAY 86400

static bool
known(struct ledger *l, int number)
{
	struct ledger_object found = { .id = -1 };
	struct err e;

	assert_int_equal(ledger_find(l, object(number).oid, &found, &e), 0);
	return found.id != 0;
}

static bool
deleted(struct ledger *l, int number)
{
	struct ledger_object found = { .id = -1 };
	struct err e;

	assert_int_equal(ledger_find(l, object(number).oid, &found, &e), 0);
	return found.deleted;
}

/* Whether the row of the only object in mailbox 1 says so. */
static bool
gone(struct ledger *l, enum row_state state)
{
	struct arena a = { NULL };
	struct ledger_row *list;
	struct err e;
	bool answer;
	size_t n;

	assert_int_equal(ledger_rows(l, 1, state, -1, &a, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	answer = list[0].gone;
	arena_free(&a);
	return answer;
}

static void
prune(struct ledger *l, const int64_t *seen, size_t n, int64_t now)
{
	struct err e = { .text = "" };

	if (ledger_prune(l, SOURCE, seen, n, now, &e) < 0)
		fail_msg("%s", e.text);
}

/* Missing is not removed: what comes back is planned like any other. */
static void
what_is_not_seen_is_missing(const char *dir)
{
	struct ledger *l = opened(dir);
	int64_t id;

	begin(l);
	id = added(l, 1);
	set(l, id, 1, ROW_DONE);
	prune(l, &id, 1, NOW);
	assert_false(gone(l, ROW_DONE));
	prune(l, NULL, 0, NOW);
	assert_true(gone(l, ROW_DONE));
	assert_false(deleted(l, 1));
	prune(l, &id, 1, NOW + DAY);
	assert_false(gone(l, ROW_DONE));
	assert_false(deleted(l, 1));
	commit(l);
	ledger_close(l);
}

static void
each_of_many_is_judged_by_itself(const char *dir)
{
	struct ledger *l = opened(dir);
	struct arena a = { NULL };
	struct ledger_row *list;
	int64_t seen[20];
	struct err e;
	size_t n;

	begin(l);
	for (int i = 0; i < 40; i++) {
		int64_t id = added(l, i + 1);

		set(l, id, 1, ROW_DONE);
		if (i % 2 == 0)
			seen[i / 2] = id;
	}
	prune(l, seen, COUNT(seen), NOW);
	assert_int_equal(ledger_rows(l, 1, ROW_DONE, -1, &a, &list, &n, &e),
			 0);
	assert_int_equal(n, 40);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].gone, i % 2 == 1);
	prune(l, seen, COUNT(seen), NOW + LEDGER_RETENTION + 1);
	for (int i = 0; i < 40; i++)
		assert_int_equal(known(l, i + 1), i % 2 == 0);
	arena_free(&a);
	ledger_close(l);
}

static void
other_sources_are_left_alone(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_object o = object(1);
	uint8_t sid[HASH_SIZE];
	struct err e;
	int64_t source;

	begin(l);
	assert_int_equal(ledger_source(l, "file:///b/", &source, sid, &e), 0);
	assert_int_equal(ledger_add(l, source, &o, &e), 0);
	set(l, o.id, 1, ROW_DONE);
	prune(l, NULL, 0, NOW);
	assert_false(gone(l, ROW_DONE));
	assert_int_equal(ledger_deleted(l, o.id, 1, &e), 0);
	prune(l, NULL, 0, NOW);
	assert_true(known(l, 1));
	assert_int_equal(ledger_prune(l, source, NULL, 0, NOW, &e), 0);
	assert_false(known(l, 1));
	ledger_close(l);
}

struct retention {
	bool removed;		/* by us; else it has been missing */
	int64_t age;		/* since then */
	enum row_state state;
	bool seen, known;
};

#define LONG (LEDGER_RETENTION + 1)

static const struct retention retentions[] = {
	{ true, 0, ROW_DONE, false, true },
	{ true, 89 * DAY, ROW_DONE, false, true },
	{ true, LEDGER_RETENTION - 1, ROW_DONE, false, true },
	{ true, LONG, ROW_DONE, false, false },
	{ true, LONG, ROW_DUPLICATE, false, false },
	{ true, LONG, ROW_SUSPECT, false, false },
	{ true, 1000 * DAY, ROW_DONE, false, false },
	{ true, -DAY, ROW_DONE, false, true },
	/* It could not be removed, or came back: it must stay known. */
	{ true, LONG, ROW_DONE, true, true },
	{ false, 0, ROW_DONE, false, true },
	{ false, LEDGER_RETENTION - 1, ROW_DONE, false, true },
	{ false, LONG, ROW_DONE, false, false },
	{ false, LONG, ROW_SUSPECT, false, false },
	{ false, LONG, ROW_DONE, true, true },
	/* Nobody knows whether this one was delivered. */
	{ true, LONG, ROW_INTENT, false, true },
	{ false, 1000 * DAY, ROW_INTENT, false, true },
};

static void
the_gone_are_known_for_a_while(const char *dir)
{
	struct ledger *l = opened(dir);

	for (size_t i = 0; i < COUNT(retentions); i++) {
		const struct retention *t = &retentions[i];
		struct err e;
		int64_t id;

		printf("# row %zu\n", i);
		begin(l);
		id = added(l, 1);
		set(l, id, 1, t->state);
		if (t->removed)
			assert_int_equal(ledger_deleted(l, id, NOW - t->age,
							&e), 0);
		else
			prune(l, NULL, 0, NOW - t->age);
		prune(l, &id, t->seen, NOW);
		assert_int_equal(known(l, 1), t->known);
		assert_int_equal(state_of(l, id, 1), t->known ? t->state
							      : ROW_NONE);
		assert_int_equal(deleted(l, 1), t->removed && t->known);
		/* Once seen, the time begins anew. */
		prune(l, NULL, 0, NOW + DAY);
		if (t->seen)
			assert_true(known(l, 1));
		ledger_rollback(l);
	}
	ledger_close(l);
}

static void
a_key_is_noticed_once(const char *dir)
{
	static const char *const keys[] = { "a", "b", "A", "", "a\xff" };
	struct ledger *l = opened(dir);
	struct err e;
	bool first;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(keys); i++) {
			assert_int_equal(ledger_notice(l, SOURCE, keys[i],
						       &first, &e), 0);
			assert_int_equal(first, round == 0);
		}
		ledger_close(l);
		l = opened(dir);
	}
	assert_int_equal(ledger_notice(l, SOURCE + 1, "a", &first, &e), 0);
	assert_true(first);
	ledger_close(l);
}

static void
a_source_keeps_its_id(const char *dir)
{
	uint8_t first[HASH_SIZE], other[HASH_SIZE], again[HASH_SIZE];
	struct ledger *l = opened(dir);
	int64_t id, other_id;
	struct err e;

	/* Outside of a transaction a new one has none. */
	assert_int_equal(ledger_source(l, "file:///b/", &id, other, &e), 0);
	assert_int_equal(id, 0);
	assert_int_equal(ledger_source(l, "file:///a/", &id, first, &e), 0);
	assert_int_equal(id, SOURCE);
	begin(l);
	assert_int_equal(ledger_source(l, "file:///b/", &other_id, again, &e),
			 0);
	assert_true(other_id > 0 && other_id != id);
	assert_memory_equal(other, again, HASH_SIZE);
	assert_memory_not_equal(first, other, HASH_SIZE);
	commit(l);
	ledger_close(l);
	l = opened(dir);
	assert_int_equal(ledger_source(l, "file:///b/", &id, again, &e), 0);
	assert_true(id == other_id);
	assert_memory_equal(other, again, HASH_SIZE);
	ledger_close(l);
	/* A lost ledger gives the same names again. */
	assert_int_equal(remove(scratch_path("%s/ledger.db", dir)), 0);
	l = opened(dir);
	assert_int_equal(ledger_source(l, "file:///a/", &id, again, &e), 0);
	assert_memory_equal(first, again, HASH_SIZE);
	ledger_close(l);
}

static void
a_mailbox_keeps_what_is_written(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_mailbox m, again;
	struct err e;

	assert_int_equal(ledger_mailbox(l, "/m/9", "bob", &m, &e), 0);
	assert_int_equal(m.id, 0);
	assert_true(m.generation == 0 && !m.search);
	begin(l);
	assert_int_equal(ledger_mailbox(l, "/m/9", "bob", &m, &e), 0);
	assert_true(m.id > 3 && m.generation == 0 && !m.search);
	m.generation = 4711;
	m.search = true;
	assert_int_equal(ledger_mailbox_update(l, &m, &e), 0);
	commit(l);
	ledger_close(l);
	l = opened(dir);
	assert_int_equal(ledger_mailbox(l, "/m/9", "bob", &again, &e), 0);
	assert_true(again.id == m.id && again.generation == 4711 &&
		    again.search);
	assert_int_equal(ledger_mailbox(l, "/m/1", "", &again, &e), 0);
	assert_true(again.generation == 0 && !again.search);
	ledger_close(l);
}

static void
a_mailbox_can_move(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_mailbox m;
	struct err e;

	begin(l);
	assert_int_equal(ledger_mailbox_move(l, 2, "/m/moved", &e), 0);
	assert_int_equal(ledger_mailbox(l, "/m/moved", "", &m, &e), 0);
	assert_int_equal(m.id, 2);
	assert_int_equal(ledger_mailbox(l, "/m/2", "", &m, &e), 0);
	assert_true(m.id > 3);
	commit(l);
	ledger_close(l);
}

static const enum row_state states[] = {
	ROW_NONE, ROW_INTENT, ROW_DONE, ROW_DUPLICATE, ROW_SUSPECT,
};

static void
mailboxes_are_listed(const char *dir)
{
	struct ledger *l = opened(dir);
	struct arena a = { NULL };
	struct ledger_mailbox *list, m;
	struct err e;
	size_t n;

	begin(l);
	assert_int_equal(ledger_mailbox(l, "/m/2", "bob", &m, &e), 0);
	commit(l);
	for (size_t i = 0; i < COUNT(states); i++) {
		const enum row_state s = states[i];

		begin(l);
		set(l, added(l, 1), 1, ROW_DONE);
		if (s != ROW_NONE)
			set(l, added(l, 2), 2, s);
		assert_int_equal(ledger_mailboxes(l, &a, &list, &n, &e), 0);
		assert_int_equal(n, 3);
		for (size_t k = 0; k < n; k++) {
			const bool second = list[k].id == 2;

			assert_string_equal(list[k].path,
				scratch_path("/m/%d", (int)list[k].id));
			assert_string_equal(list[k].user,
					    second ? "bob" : "");
			assert_int_equal(list[k].open, second &&
				(s == ROW_INTENT || s == ROW_SUSPECT));
		}
		ledger_rollback(l);
	}
	arena_free(&a);
	ledger_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(what_is_not_seen_is_missing),
		plain_unit_test(each_of_many_is_judged_by_itself),
		plain_unit_test(other_sources_are_left_alone),
		plain_unit_test(the_gone_are_known_for_a_while),
		plain_unit_test(a_key_is_noticed_once),
		plain_unit_test(a_source_keeps_its_id),
		plain_unit_test(a_mailbox_keeps_what_is_written),
		plain_unit_test(a_mailbox_can_move),
		plain_unit_test(mailboxes_are_listed),
	};

	return cmocka_run_group_tests_name("ledger-prune", tests, NULL, NULL);
}
