#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

char *
scratch_new(void)
{
	const char *base = getenv("TMPDIR");
	char path[PATH_MAX];
	char *dir;

	snprintf(path, sizeof(path), "%s/fallbackmx-unit.XXXXXX",
		 base != NULL && base[0] == '/' ? base : "/tmp");
	dir = mkdtemp(path);
	assert_non_null(dir);
	dir = strdup(path);
	assert_non_null(dir);
	return dir;
}

static int
remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)s;
	(void)type;
	(void)f;
	return remove(path);
}

static int
open_up(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)f;
	if (type == FTW_D || type == FTW_DNR)
		chmod(path, (s->st_mode & 07777) | 0700);
	return 0;
}

void
scratch_free(char *dir)
{
	nftw(dir, open_up, 32, FTW_PHYS);
	nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

/* In the child. Failed assertions end it, as it has no runner of its own. */
static void
work_plainly(const struct scratch_test *t, const char *dir)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 ||
	     setresgid(SCRATCH_UID, SCRATCH_UID, SCRATCH_UID) < 0 ||
	     setresuid(SCRATCH_UID, SCRATCH_UID, SCRATCH_UID) < 0))
		_exit(125);
	/* A leak checker looks into its own process. */
	prctl(PR_SET_DUMPABLE, 1);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	t->work(dir);
	exit(0);
}

void
scratch_need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("# needs root\n");
	skip();
}

void
scratch_run(void **state)
{
	const struct scratch_test *t = *state;
	char *dir;
	int status;
	pid_t pid;

	if (t->prepare != NULL)
		scratch_need_root();
	dir = scratch_new();
	if (geteuid() == 0)
		assert_int_equal(chown(dir, SCRATCH_UID, SCRATCH_UID), 0);
	if (t->prepare != NULL)
		t->prepare(dir);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		work_plainly(t, dir);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	scratch_free(dir);
	assert_int_equal(status, 0);
}

const char *
scratch_path(const char *fmt, ...)
{
	static char ring[8][PATH_MAX];
	static unsigned next;
	char *path = ring[next++ % 8];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, PATH_MAX, fmt, ap);
	va_end(ap);
	assert_in_range(n, 1, PATH_MAX - 1);
	return path;
}

void
scratch_write(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(n == 0 ? 0 : fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

void
scratch_text(const char *path, const char *text)
{
	scratch_write(path, text, strlen(text));
}

ssize_t
scratch_read(const char *path, void *data, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		return -1;
	n = fread(data, 1, size, f);
	fclose(f);
	return (ssize_t)n;
}

bool
scratch_exists(const char *path)
{
	struct stat s;

	return lstat(path, &s) == 0;
}

void
scratch_copy(const char *from, const char *to, mode_t mode)
{
	char piece[65536];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
		assert_int_equal(fwrite(piece, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(to, mode), 0);
}

int
scratch_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

void
scratch_age(const char *path, int64_t seconds, long nanoseconds)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = seconds, .tv_nsec = nanoseconds },
	};

	assert_int_equal(utimensat(AT_FDCWD, path, times,
				   AT_SYMLINK_NOFOLLOW), 0);
}

int
scratch_descriptors(void)
{
	/* Without the one that looks. */
	return scratch_entries("/proc/self/fd") - 1;
}
