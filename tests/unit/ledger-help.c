#include <config.h>

#include "ledger-help.h"

struct ledger *
opened(const char *dir)
{
	struct err e = { .text = "" };
	struct ledger *l = NULL;
	struct ledger_mailbox m;
	uint8_t sid[HASH_SIZE];
	int64_t id;

	if (ledger_open(&l, dir, false, &e) < 0)
		fail_msg("%s", e.text);
	assert_non_null(l);
	begin(l);
	assert_int_equal(ledger_source(l, "file:///a/", &id, sid, &e), 0);
	assert_int_equal(id, SOURCE);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(ledger_mailbox(l, scratch_path("/m/%d", i),
						"", &m, &e), 0);
		assert_int_equal(m.id, i);
	}
	commit(l);
	return l;
}

void
begin(struct ledger *l)
{
	struct err e = { .text = "" };

	if (ledger_begin(l, &e) < 0)
		fail_msg("%s", e.text);
}

void
commit(struct ledger *l)
{
	struct err e = { .text = "" };

	if (ledger_commit(l, &e) < 0)
		fail_msg("%s", e.text);
}

struct ledger_object
object(int number)
{
	static char keys[16][32];
	static unsigned next;
	char *key = keys[next++ % 16];
	struct ledger_object o = {
		.key = key, .etag = "etag", .ses_id = "", .size = 1000,
		.content_size = (uint64_t)number + 900, .arrival = number,
	};

	snprintf(key, sizeof(keys[0]), "in/object %d", number);
	memset(o.oid, number, HASH_SIZE);
	memset(o.body, 100 + number, HASH_SIZE);
	memset(o.content, 200 + number, HASH_SIZE);
	return o;
}

int64_t
added(struct ledger *l, int number)
{
	struct ledger_object o = object(number);
	struct err e = { .text = "" };
	char ses_id[32];

	snprintf(ses_id, sizeof(ses_id), "ses%d", number);
	o.ses_id = ses_id;
	if (ledger_add(l, SOURCE, &o, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(o.id > 0);
	return o.id;
}

void
set(struct ledger *l, int64_t id, int64_t box, enum row_state s)
{
	const struct ledger_row r = {
		.object = id, .mailbox = box, .state = s, .name = "name",
		.boot = "boot", .added = 99,
	};
	struct err e = { .text = "" };

	if (ledger_put(l, &r, &e) < 0)
		fail_msg("%s", e.text);
}

enum row_state
state_of(struct ledger *l, int64_t id, int64_t box)
{
	struct err e = { .text = "" };
	enum row_state s = ROW_SUSPECT;

	if (ledger_state(l, id, box, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}
