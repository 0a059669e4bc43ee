#include <config.h>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/place.h"
#include "scratch.h"

static void
finds(void **state)
{
	static const struct {
		const char *socket;
		int sockets;
		const char *wanted;	/* NULL: refused */
	} rows[] = {
		{ "unix:/run/x/milter.sock", 0, "unix:/run/x/milter.sock" },
		{ "unix:milter.sock", 0, NULL },
		{ "inet:127.0.0.1:10025", 0, "inet:10025@127.0.0.1" },
		{ "inet:localhost:10025", 0, "inet:10025@localhost" },
		{ "inet:[::1]:10025", 0, "inet6:10025@::1" },
		{ "inet:10025", 0, NULL },
		{ "inet:127.0.0.1:", 0, NULL },
		{ "inet::10025", 0, NULL },
		{ "inet:[]:10025", 0, NULL },
		{ "tcp:127.0.0.1:10025", 0, NULL },
		{ "", 0, NULL },
		{ "fd", 0, NULL },
		{ "fd", 1, "fd:3" },
		/* What the service manager holds is what Postfix sees. */
		{ "unix:/run/x/milter.sock", 1, "fd:3" },
		{ "fd", 2, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct place p;
		struct err e;
		int ret;

		ROW(rows[i].socket);
		ret = place_find(&p, rows[i].socket, rows[i].sockets, &e);
		assert_int_equal(ret, rows[i].wanted ? 0 : -1);
		if (ret == 0)
			assert_string_equal(p.connection, rows[i].wanted);
		else
			assert_int_equal(e.code, EX_CONFIG);
	}
}

static int
bind_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(to.sun_path));
	memcpy(to.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void
find_in(const char *dir, struct place *p)
{
	struct err e;

	assert_int_equal(place_find(p, scratch_path("unix:%s/sock", dir), 0,
				    &e), 0);
}

static void
leaves_a_live_one(const char *dir)
{
	struct place p;
	struct err e;
	int fd;

	find_in(dir, &p);
	assert_int_equal(place_prepare(&p, geteuid(), &e), 0);
	fd = bind_at(p.path);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(place_prepare(&p, geteuid(), &e), -1);
	assert_int_equal(e.code, EX_UNAVAILABLE);
	assert_true(scratch_exists(p.path));
	close(fd);
	/* Nobody answers any more. */
	assert_int_equal(place_prepare(&p, geteuid(), &e), 0);
	assert_false(scratch_exists(p.path));
}

static void
leaves_what_is_no_socket(const char *dir)
{
	struct place p;
	struct err e;

	find_in(dir, &p);
	scratch_text(p.path, "precious");
	assert_int_equal(place_prepare(&p, geteuid(), &e), -1);
	assert_int_equal(e.code, EX_CANTCREAT);
	assert_true(scratch_exists(p.path));
}

static void
wants_a_safe_directory(const char *dir)
{
	struct place p;
	struct err e;

	find_in(dir, &p);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(place_prepare(&p, geteuid(), &e), -1);
	assert_int_equal(e.code, EX_CONFIG);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(place_prepare(&p, geteuid() + 1, &e), -1);
	assert_int_equal(place_find(&p, scratch_path("unix:%s/no/sock", dir),
				    0, &e), 0);
	assert_int_equal(place_prepare(&p, geteuid(), &e), -1);
	assert_int_equal(e.code, EX_CANTCREAT);
}

static void
opens_and_closes(const char *dir)
{
	const struct group *g = getgrgid(getegid());
	struct place p;
	struct stat st;
	struct err e;
	mode_t mask;
	int fd;

	find_in(dir, &p);
	mask = umask(PLACE_UMASK);
	fd = bind_at(p.path);
	umask(mask);
	assert_int_equal(place_open(&p, geteuid(), "no-such-group", &e), -1);
	assert_int_equal(e.code, EX_CONFIG);
	if (g == NULL)
		return;
	assert_int_equal(place_open(&p, geteuid(), g->gr_name, &e), 0);
	assert_int_equal(lstat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	close(fd);
	/* Another instance has bound it anew: it is not ours to remove. */
	assert_int_equal(rename(p.path, scratch_path("%s/old", dir)), 0);
	fd = bind_at(p.path);
	place_close(&p);
	assert_true(scratch_exists(p.path));
	close(fd);
	assert_int_equal(rename(scratch_path("%s/old", dir), p.path), 0);
	place_close(&p);
	assert_false(scratch_exists(p.path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		plain_unit_test(leaves_a_live_one),
		plain_unit_test(leaves_what_is_no_socket),
		plain_unit_test(wants_a_safe_directory),
		plain_unit_test(opens_and_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
