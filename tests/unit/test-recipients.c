#include <config.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/recipients.h"
#include "unit.h"

#define LONGEST "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"	\
		"abcdefghijk"

/* The last one is the catch_all. */
static struct route by_key[] = {
	{ .prefix = "alice/" },
	{ .prefix = "{user}/", .template = true },
	{ .prefix = "alice/lists/" },
	{ .prefix = "mail/{user}/in/", .template = true },
	{ .prefix = "mail/" },
	{ .prefix = "mail/{user}/", .template = true },
	{ .prefix = "{user}/in/", .template = true },
	{ .recipient = "a@b" },
	{ .prefix = NULL },
};
#define KEY_ROUTES (COUNT(by_key) - 1)

struct keyed {
	const char *key;
	size_t route;		/* KEY_ROUTES: the catch_all */
	const char *user;
};

static const struct keyed keys[] = {
	{ "alice/x", 0, "" },
	{ "alice/", 0, "" },
	{ "alice/lists/x", 2, "" },
	{ "alice/in/x", 0, "" },
	{ "bob/x", 1, "bob" },
	{ "bob/y/z", 1, "bob" },
	{ "bob/in/z", 6, "bob" },
	{ "mail/x", 4, "" },
	{ "mail/bob/x", 5, "bob" },
	{ "mail/bob/in/x", 3, "bob" },
	{ "mail/alice/in", 5, "alice" },
	{ "a-b_c.9/x", 1, "a-b_c.9" },
	{ LONGEST "/x", 1, LONGEST },
	{ LONGEST "l/x", KEY_ROUTES, "" },
	{ "Alice/x", KEY_ROUTES, "" },
	{ "alice", KEY_ROUTES, "" },
	{ "x", KEY_ROUTES, "" },
	{ "", KEY_ROUTES, "" },
	{ "/x", KEY_ROUTES, "" },
	{ "-rf/x", KEY_ROUTES, "" },
	{ "../x", KEY_ROUTES, "" },
	{ ".ssh/x", KEY_ROUTES, "" },
	{ "a b/x", KEY_ROUTES, "" },
	{ "a\n/x", KEY_ROUTES, "" },
	{ "a%2f/x", KEY_ROUTES, "" },
	{ "\xc3\xbc/x", KEY_ROUTES, "" },
	{ "mail/../x", 4, "" },
};

static struct route by_address[] = {
	{ .recipient = "Alice@Example.com" },
	{ .recipient = "{user}@example.com", .template = true },
	{ .recipient = "alice+lists@example.com" },
	{ .recipient = "{user}@example.org", .template = true },
	{ .recipient = "bob@example.net" },
	{ .recipient = NULL },
};
#define ADDRESS_ROUTES (COUNT(by_address) - 1)

static const struct keyed addresses[] = {
	{ "alice@example.com", 0, "" },
	{ "ALICE@EXAMPLE.COM", 0, "" },
	{ "alice+x@example.com", 0, "" },
	{ "alice+@example.com", 0, "" },
	{ "alice+Lists@example.com", 2, "" },
	{ "alice+lists+x@example.com", 0, "" },
	{ "alicea@example.com", 1, "alicea" },
	{ "Bob@example.com", 1, "bob" },
	{ "bob+x+y@example.com", 1, "bob" },
	{ "alice@example.org", 3, "alice" },
	{ "bob+x@EXAMPLE.net", 4, "" },
	{ LONGEST "@example.org", 3, LONGEST },
	{ LONGEST "l@example.org", ADDRESS_ROUTES, "" },
	{ "bo@example.net", ADDRESS_ROUTES, "" },
	{ "bobb@example.net", ADDRESS_ROUTES, "" },
	{ "bob@example.net.evil.example", ADDRESS_ROUTES, "" },
	{ "bob@sub.example.net", ADDRESS_ROUTES, "" },
	{ "+x@example.org", ADDRESS_ROUTES, "" },
	{ "-x@example.org", ADDRESS_ROUTES, "" },
	{ ".x@example.org", ADDRESS_ROUTES, "" },
	{ "a/b@example.org", ADDRESS_ROUTES, "" },
	{ "{user}@example.org", ADDRESS_ROUTES, "" },
	{ "alice", ADDRESS_ROUTES, "" },
	{ "@", ADDRESS_ROUTES, "" },
	{ "", ADDRESS_ROUTES, "" },
	{ NULL, ADDRESS_ROUTES, "" },
};

static void
routes_by_key(void **state)
{
	struct source_settings s = { .routes = by_key, .routes_n = KEY_ROUTES,
				     .catch_all = &by_key[KEY_ROUTES] };
	struct targets t;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		ROW(keys[i].key);
		s.catch_all = &by_key[KEY_ROUTES];
		recipients_route(&s, keys[i].key, "a@b", &t);
		assert_int_equal(t.n, 1);
		assert_int_equal(t.list[0].route, keys[i].route);
		assert_string_equal(t.list[0].user, keys[i].user);
		assert_false(t.keep);
		s.catch_all = NULL;
		recipients_route(&s, keys[i].key, "a@b", &t);
		assert_int_equal(t.n, keys[i].route < KEY_ROUTES);
		assert_false(t.keep);
	}
}

static void
an_empty_prefix_takes_the_rest(void **state)
{
	struct route routes[] = {
		{ .prefix = "" }, { .prefix = "{user}/", .template = true },
	};
	struct source_settings s = { .routes = routes, .routes_n = 2 };
	struct targets t;

	(void)state;
	recipients_route(&s, "bob/x", NULL, &t);
	assert_int_equal(t.list[0].route, 1);
	recipients_route(&s, "BOB/x", NULL, &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.list[0].route, 0);
	recipients_route(&s, "x", NULL, &t);
	assert_int_equal(t.list[0].route, 0);
}

static void
routes_by_address(void **state)
{
	struct source_settings s = { .routes = by_address,
				     .routes_n = ADDRESS_ROUTES,
				     .authority = AUTHORITY_RECEIVED };
	struct targets t;

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		bool home = addresses[i].route < ADDRESS_ROUTES;

		ROW(addresses[i].key ? addresses[i].key : "(unknown)");
		s.catch_all = &by_address[ADDRESS_ROUTES];
		recipients_route(&s, "alice/x", addresses[i].key, &t);
		assert_int_equal(t.n, home ? 2 : 1);
		assert_int_equal(t.list[0].route, addresses[i].route);
		assert_string_equal(t.list[0].user, addresses[i].user);
		assert_int_equal(t.list[t.n - 1].route, ADDRESS_ROUTES);
		assert_string_equal(t.list[t.n - 1].user, "");
		assert_false(t.keep);
		s.catch_all = NULL;
		recipients_route(&s, "alice/x", addresses[i].key, &t);
		assert_int_equal(t.n, home);
		assert_true(t.keep);
	}
}

/* Any user of this machine that a template may serve; NULL if there is none. */
static const struct passwd *
some_user(void)
{
	const struct passwd *pw;

	setpwent();
	do
		pw = getpwent();
	while (pw != NULL && (pw->pw_uid < UID_FIRST_USER ||
			      *pw->pw_dir != '/' || pw->pw_dir[1] == '\0' ||
			      pw->pw_name[strspn(pw->pw_name,
				"abcdefghijklmnopqrstuvwxyz0123456789_")]));
	return pw;
}

static void
fills_home_and_user(void **state)
{
	struct route routes[] = {
		{ .prefix = "{user}/", .maildir = "{home}/Maildir",
		  .template = true },
		{ .prefix = "v/{user}/", .maildir = "/v/{user}/m",
		  .template = true, .owner = "12345:678" },
		{ .prefix = "h/", .maildir = "{home}/m" },
	};
	struct source_settings s = { .routes = routes, .routes_n = 3 };
	const struct passwd *pw = some_user();
	struct target t = { .route = 0 };
	char name[USER_MAX], expected[MAILDIR_SIZE];
	struct place p;
	struct err e;
	uid_t uid;

	(void)state;
	if (pw == NULL) {
		print_message("# needs a name for who runs it\n");
		skip();
	}
	snprintf(name, sizeof(name), "%s", pw->pw_name);
	snprintf(expected, sizeof(expected), "%s/Maildir", pw->pw_dir);
	uid = pw->pw_uid;
	memcpy(t.user, name, sizeof(name));
	assert_int_equal(recipients_place(&s, &t, &p, &e), 0);
	assert_string_equal(p.maildir, expected);
	assert_string_equal(p.name, name);
	assert_int_equal(p.uid, uid);
	t.route = 1;
	assert_int_equal(recipients_place(&s, &t, &p, &e), 0);
	snprintf(expected, sizeof(expected), "/v/%s/m", name);
	assert_string_equal(p.maildir, expected);
	assert_string_equal(p.name, "");
	assert_int_equal(p.uid, 12345);
	assert_int_equal(p.gid, 678);
	routes[2].owner = name;
	t = (struct target){ .route = 2 };
	assert_int_equal(recipients_place(&s, &t, &p, &e), 0);
	assert_string_equal(p.name, name);
	assert_string_equal(p.maildir + strlen(p.maildir) - 2, "/m");
}

struct refused {
	const char *name;
	struct target target;
	const char *says;
	enum err_kind kind;	/* ERR_PERM: a {user} who gets no mail */
};

static const struct refused refusals[] = {
	{ "root by name", { .route = 0 }, "is root", ERR_TEMP },
	{ "root by number", { .route = 1 }, "is root", ERR_TEMP },
	{ "system user", { .route = 2 }, "uid 50, below 100", ERR_TEMP },
	{ "no such user", { .route = 3 }, "no such user", ERR_TEMP },
	{ "template: system user", { 4, "daemon" }, "is below 1000",
	  ERR_PERM },
	{ "template: root", { 4, "root" }, "is below 1000",
	  ERR_PERM },
	{ "template: no such user", { 4, "no-such-user" }, "no such user",
	  ERR_PERM },
	{ "template: no user", { 4, "" }, "no such line", ERR_TEMP },
	{ "template: a path", { 4, "../x" }, "no such line", ERR_TEMP },
	{ "template: upper case", { 4, "Daemon" }, "no such line", ERR_TEMP },
	{ "user without template", { 1, "daemon" }, "no such line", ERR_TEMP },
	{ "no catch_all", { .route = 6 }, "no such line", ERR_TEMP },
	{ "behind the end", { .route = 7 }, "no such line", ERR_TEMP },
	{ "far behind the end", { .route = SIZE_MAX }, "no such line",
	  ERR_TEMP },
	{ "missing directory", { .route = 5 }, "No such file or directory",
	  ERR_TEMP },
};

/* F42: refused for now; the others go on. */
static void
refuses_owners(void **state)
{
	struct route routes[] = {
		{ .prefix = "a/", .maildir = "/m", .owner = "root" },
		{ .prefix = "b/", .maildir = "/m", .owner = "0:7" },
		{ .prefix = "c/", .maildir = "/m", .owner = "50:50" },
		{ .prefix = "d/", .maildir = "/m", .owner = "no-such-user" },
		{ .prefix = "{user}/", .maildir = "{home}/m",
		  .template = true },
		{ .prefix = "e/", .maildir = "/no/such/directory" },
		{ .prefix = NULL },
	};
	struct source_settings s = { .routes = routes, .routes_n = 6 };

	(void)state;
	if (getuid() == 50) {
		print_message("# needs another uid than 50\n");
		skip();
	}
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct place p;
		struct err e = { .text = "" };

		if (refusals[i].target.route == 5 && geteuid() != 0)
			continue;	/* then it is ours, wherever it is */
		ROW(refusals[i].name);
		assert_int_equal(recipients_place(&s, &refusals[i].target, &p,
						  &e), -1);
		assert_int_equal(e.kind, refusals[i].kind);
		assert_non_null(strstr(e.text, refusals[i].says));
	}
}

static void
a_user_name_must_end(void **state)
{
	struct route routes[] = {
		{ .prefix = "{user}/", .maildir = "/m/{user}",
		  .template = true },
	};
	struct source_settings s = { .routes = routes, .routes_n = 1 };
	struct target t = { .route = 0 };
	char out[MAILDIR_SIZE];
	struct err e;

	(void)state;
	memset(t.user, 'a', sizeof(t.user));
	assert_int_equal(recipients_maildir(&s, &t, out, &e), -1);
}

static void
derives_the_owner(void **state)
{
	char folder[] = "/tmp/fallbackmx-unit-XXXXXX", maildir[64];
	struct route routes[] = { { .prefix = "", .maildir = maildir } };
	struct source_settings s = { .routes = routes, .routes_n = 1 };
	const struct target t = { .route = 0 };
	const bool root = getuid() == 0;
	struct place p;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(maildir, sizeof(maildir), "%s/m", folder);
	/* Missing: the directory that it would be made in. */
	assert_int_equal(recipients_place(&s, &t, &p, &e), root ? -1 : 0);
	assert_string_equal(p.maildir, maildir);
	assert_int_equal(p.uid, getuid());
	assert_int_equal(mkdir(maildir, 0700), 0);
	if (root) {
		assert_int_equal(chown(maildir, 12345, 678), 0);
		assert_int_equal(recipients_place(&s, &t, &p, &e), 0);
		assert_int_equal(p.uid, 12345);
		assert_int_equal(p.gid, 678);
		assert_string_equal(p.name, "");
	} else {
		assert_int_equal(recipients_place(&s, &t, &p, &e), 0);
		assert_int_equal(p.uid, getuid());
	}
	rmdir(maildir);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_by_key),
		cmocka_unit_test(an_empty_prefix_takes_the_rest),
		cmocka_unit_test(routes_by_address),
		cmocka_unit_test(fills_home_and_user),
		cmocka_unit_test(refuses_owners),
		cmocka_unit_test(a_user_name_must_end),
		cmocka_unit_test(derives_the_owner),
	};

	return cmocka_run_group_tests_name("recipients", tests, NULL, NULL);
}
