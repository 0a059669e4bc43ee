/*
 * durable - the ceiling of durable Maildir delivery on a disk.
 *
 *	durable SOURCE MAILDIR WRITERS [LIMIT]
 *
 * Reads the files of SOURCE into memory (not timed), then WRITERS threads
 * store each as a mailer must before it says "delivered": write and fsync
 * tmp/NAME, rename it to new/NAME, fsync new/. No ledger, no identity, no
 * removal. Prints files and seconds.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WRITERS_MAX 64

struct mail {
	char name[NAME_MAX + 1];
	char *data;
	size_t size;
};

static struct mail *mails;
static size_t mails_n;
static atomic_size_t next;
static int tmp, new;

static void __attribute__((noreturn))
die(const char *what, const char *name)
{
	fprintf(stderr, "durable: cannot %s %s: %s\n", what, name,
	    strerror(errno));
	exit(1);
}

static int
open_at(int dir, const char *name, int flags)
{
	const int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		die("open", name);
	return fd;
}

static void
read_one(int dir, const char *name)
{
	const int fd = open_at(dir, name, O_RDONLY);
	struct mail *m;
	struct stat s;

	mails = realloc(mails, (mails_n + 1) * sizeof(*mails));
	if (mails == NULL || fstat(fd, &s) < 0)
		die("read", name);
	m = &mails[mails_n++];
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->size = (size_t)s.st_size;
	m->data = malloc(m->size + 1);
	if (m->data == NULL || read(fd, m->data, m->size) != s.st_size)
		die("read", name);
	close(fd);
}

static void
read_all(const char *path, size_t limit)
{
	DIR *d = opendir(path);
	const struct dirent *entry;

	if (d == NULL)
		die("open", path);
	while (mails_n < limit && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			read_one(dirfd(d), entry->d_name);
	closedir(d);
}

static void
store(const struct mail *m)
{
	const int fd = open_at(tmp, m->name, O_WRONLY | O_CREAT | O_EXCL);

	if (write(fd, m->data, m->size) != (ssize_t)m->size)
		die("write", m->name);
	if (fsync(fd) < 0 || close(fd) < 0)
		die("sync", m->name);
	if (renameat(tmp, m->name, new, m->name) < 0 || fsync(new) < 0)
		die("rename", m->name);
}

static void *
writer(void *unused)
{
	size_t i;

	while ((i = atomic_fetch_add(&next, 1)) < mails_n)
		store(&mails[i]);
	return unused;
}

int
main(int argc, char **argv)
{
	const int writers = argc > 3 ? atoi(argv[3]) : 0;
	pthread_t threads[WRITERS_MAX];
	struct timespec a, b;
	int dir;

	if (writers < 1 || writers > WRITERS_MAX) {
		fputs("usage: durable SOURCE MAILDIR WRITERS [LIMIT]\n",
		    stderr);
		return 64;
	}
	read_all(argv[1], argc > 4 ? (size_t)atol(argv[4]) : SIZE_MAX);
	dir = open_at(AT_FDCWD, argv[2], O_RDONLY | O_DIRECTORY);
	tmp = open_at(dir, "tmp", O_RDONLY | O_DIRECTORY);
	new = open_at(dir, "new", O_RDONLY | O_DIRECTORY);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < writers; i++)
		if (pthread_create(&threads[i], NULL, writer, NULL) != 0)
			die("start", "a writer");
	for (int i = 0; i < writers; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%zu %.6f\n", mails_n, (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	return 0;
}
