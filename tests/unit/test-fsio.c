#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "scratch.h"

#define PIECES 40
#define PIECE 3000

static void
on_alarm(int sig)
{
	(void)sig;
}

/* Signals that interrupt every call that waits. */
static void
interrupt_often(void)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction act = { .sa_handler = on_alarm };

	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void
interrupt_no_more(void)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

static void
fill(char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (char)(i * 31 % 251);
}

static void
reads_all_that_comes_in_pieces(const char *dir)
{
	char sent[PIECES * PIECE], got[sizeof(sent) + 1];
	int end[2], status;
	pid_t pid;

	(void)dir;
	fill(sent, sizeof(sent));
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < PIECES; i++) {
			usleep(1500);
			if (write(end[1], sent + i * PIECE, PIECE) != PIECE)
				_exit(1);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	close(end[1]);
	interrupt_often();
	assert_int_equal(fsio_read(end[0], got, sizeof(got)), sizeof(sent));
	interrupt_no_more();
	assert_memory_equal(got, sent, sizeof(sent));
	assert_int_equal(fsio_read(end[0], got, sizeof(got)), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(end[0]);
}

static void
writes_all_to_a_slow_reader(const char *dir)
{
	static char sent[400000], got[sizeof(sent)];
	int end[2], status;
	pid_t pid;

	(void)dir;
	fill(sent, sizeof(sent));
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		size_t have = 0;
		ssize_t n;
		char more;

		close(end[1]);
		while (have < sizeof(got) &&
		       (n = read(end[0], got + have, have + 1000 < sizeof(got)
					? 1000 : sizeof(got) - have)) > 0) {
			have += (size_t)n;
			usleep(100);
		}
		_exit(read(end[0], &more, 1) != 0 || have != sizeof(sent) ||
		      memcmp(got, sent, have) != 0);
	}
	assert_true(pid > 0);
	interrupt_often();
	assert_int_equal(fsio_write(end[1], sent, sizeof(sent)), 0);
	interrupt_no_more();
	close(end[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
tells_that_a_device_is_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	if (fd < 0) {
		print_message("# needs /dev/full\n");
		skip();
	}
	assert_int_equal(fsio_write(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fsio_write(fd, "x", 0), 0);
	close(fd);
}

static void
reads_at_an_offset(const char *dir)
{
	const char *path = scratch_path("%s/f", dir);
	char got[16] = "";
	int fd;

	scratch_text(path, "0123456789");
	fd = open(path, O_RDONLY);
	assert_int_equal(fsio_pread(fd, got, 3, 4), 3);
	assert_memory_equal(got, "456", 3);
	assert_int_equal(fsio_pread(fd, got, 16, 8), 2);
	assert_memory_equal(got, "89", 2);
	assert_int_equal(fsio_pread(fd, got, 16, 10), 0);
	assert_int_equal(fsio_pread(fd, got, 16, 99), 0);
	/* The descriptor's own place did not move. */
	assert_int_equal(fsio_read(fd, got, 2), 2);
	assert_memory_equal(got, "01", 2);
	close(fd);
}

static void
opens_close_on_exec(const char *dir)
{
	const char *path = scratch_path("%s/f", dir);
	struct stat s;
	int fd;

	umask(0);
	fd = fsio_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0640);
	close(fd);
	assert_int_equal(fsio_openat(AT_FDCWD, path, O_WRONLY | O_CREAT |
				     O_EXCL, 0640), -1);
	assert_int_equal(errno, EEXIST);
}

static void
opens_only_directories_that_are_no_links(const char *dir)
{
	int d = fsio_opendir(AT_FDCWD, dir), sub;

	assert_true(d >= 0);
	scratch_text(scratch_path("%s/file", dir), "");
	assert_int_equal(mkdir(scratch_path("%s/real", dir), 0700), 0);
	assert_int_equal(symlink("real", scratch_path("%s/link", dir)), 0);
	assert_int_equal(mkfifo(scratch_path("%s/fifo", dir), 0600), 0);
	sub = fsio_opendir(d, "real");
	assert_true(sub >= 0);
	assert_int_equal(fcntl(sub, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fsio_opendir(d, "link"), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(fsio_opendir(d, "file"), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(fsio_opendir(d, "fifo"), -1);
	assert_int_equal(fsio_opendir(d, "missing"), -1);
	assert_int_equal(errno, ENOENT);
	close(sub);
	close(d);
}

static void
renames_over_nothing(const char *dir)
{
	int d = fsio_opendir(AT_FDCWD, dir);
	char got[4] = "";

	scratch_text(scratch_path("%s/a", dir), "a");
	scratch_text(scratch_path("%s/b", dir), "b");
	assert_int_equal(fsio_rename(d, "a", d, "b"), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(scratch_read(scratch_path("%s/b", dir), got, 4), 1);
	assert_int_equal(got[0], 'b');
	assert_true(scratch_exists(scratch_path("%s/a", dir)));
	assert_int_equal(fsio_rename(d, "a", d, "c"), 0);
	assert_false(scratch_exists(scratch_path("%s/a", dir)));
	assert_int_equal(scratch_read(scratch_path("%s/c", dir), got, 4), 1);
	assert_int_equal(got[0], 'a');
	assert_int_equal(fsio_rename(d, "a", d, "d"), -1);
	assert_int_equal(errno, ENOENT);
	close(d);
}

static void
unlinks_files_only(const char *dir)
{
	int d = fsio_opendir(AT_FDCWD, dir);

	scratch_text(scratch_path("%s/a", dir), "a");
	assert_int_equal(mkdir(scratch_path("%s/sub", dir), 0700), 0);
	assert_int_equal(fsio_unlink(d, "a"), 0);
	assert_false(scratch_exists(scratch_path("%s/a", dir)));
	assert_int_equal(fsio_unlink(d, "a"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fsio_unlink(d, "sub"), -1);
	assert_true(scratch_exists(scratch_path("%s/sub", dir)));
	close(d);
}

static void
syncs_or_says_why_not(const char *dir)
{
	int d = fsio_opendir(AT_FDCWD, dir), end[2];

	assert_int_equal(fsio_sync(d), 0);
	assert_int_equal(fsio_syncfs(d), 0);
	close(d);
	assert_int_equal(fsio_sync(d), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fsio_syncfs(d), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(pipe(end), 0);
	assert_int_equal(fsio_sync(end[0]), -1);
	assert_int_equal(errno, EINVAL);
}

static void
failures_have_their_errno(const char *dir)
{
	int d = fsio_opendir(AT_FDCWD, dir);
	char c;

	assert_int_equal(fsio_read(d, &c, 1), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(fsio_pread(d, &c, 1, 0), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(fsio_write(d, &c, 1), -1);
	assert_int_equal(errno, EBADF);
	close(d);
}

static void
closes_once(void **state)
{
	int fd = dup(STDERR_FILENO), copy = fd;

	(void)state;
	assert_int_equal(fsio_close(&fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	assert_int_equal(fsio_close(&fd), 0);
	assert_int_equal(fsio_close(&copy), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(copy, -1);
}

static void
writes_parts_at_a_place(const char *dir)
{
	char data[16] = "", a[] = "ab", b[] = "cde";
	struct iovec parts[] = { { NULL, 0 }, { a, 2 }, { NULL, 0 }, { b, 3 },
				 { NULL, 0 } };
	int fd = fsio_openat(AT_FDCWD, scratch_path("%s/f", dir),
			     O_RDWR | O_CREAT, 0600);

	assert_int_equal(fsio_write(fd, "012345678", 9), 0);
	assert_int_equal(fsio_pwritev(fd, parts, COUNT(parts), 3), 0);
	assert_int_equal(fsio_datasync(fd), 0);
	assert_int_equal(fsio_pread(fd, data, sizeof(data), 0), 9);
	assert_string_equal(data, "012abcde8");
	fsio_close(&fd);
	parts[1] = (struct iovec){ a, 2 };
	assert_int_equal(fsio_pwritev(fd, parts, COUNT(parts), 3), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(reads_all_that_comes_in_pieces),
		plain_unit_test(writes_all_to_a_slow_reader),
		cmocka_unit_test(tells_that_a_device_is_full),
		plain_unit_test(reads_at_an_offset),
		plain_unit_test(opens_close_on_exec),
		plain_unit_test(opens_only_directories_that_are_no_links),
		plain_unit_test(renames_over_nothing),
		plain_unit_test(unlinks_files_only),
		plain_unit_test(syncs_or_says_why_not),
		plain_unit_test(failures_have_their_errno),
		cmocka_unit_test(closes_once),
		plain_unit_test(writes_parts_at_a_place),
	};

	return cmocka_run_group_tests_name("fsio", tests, NULL, NULL);
}
