#include <config.h>

#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "maildir-help.h"

void
open_new(struct maildir *m, const char *dir)
{
	static char path[4096];
	struct err e = { .text = "" };
	bool busy = true;

	snprintf(path, sizeof(path), "%s/m", dir);
	maildir_init(m, path);
	if (maildir_open(m, 0, &busy, &e) < 0)
		fail_msg("%s", e.text);
	assert_false(busy);
	assert_true(m->dir >= 0 && m->new >= 0 && m->cur >= 0 &&
		    m->stage >= 0);
}

void
refuses(const char *path, struct maildir *m, struct err *e)
{
	bool busy = true;

	maildir_init(m, path);
	*e = (struct err){ .kind = ERR_STOP };
	assert_int_equal(maildir_open(m, 0, &busy, e), -1);
	assert_false(busy);
	assert_int_equal(e->kind, ERR_TEMP);
	assert_non_null(strstr(e->text, path));
	assert_true(m->dir == -1 && m->new == -1 && m->cur == -1 &&
		    m->stage == -1);
}

int
object(const void *data, size_t n)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write(fd, data, n), 0);
	return fd;
}

void
put(struct maildir *m, const char *name, const char *text)
{
	struct delivery_request q = { .size = strlen(text), .mtime = 1 };
	struct err e = { .text = "" };
	int fd = object(text, strlen(text));
	uint64_t size = 0;

	memcpy(q.name, name, strlen(name) + 1);
	if (maildir_put(m, &q, "", fd, &size, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(size, strlen(text));
	close(fd);
}

int
listed(struct maildir *m, bool staged, const char *name)
{
	static char names[65536];
	struct err e = { .text = "" };
	int fd = -1, count = 0;
	ssize_t n;

	if (maildir_list(m, staged, &fd, &e) < 0)
		fail_msg("%s", e.text);
	n = fsio_pread(fd, names, sizeof(names), 0);
	close(fd);
	assert_in_range(n, 0, sizeof(names) - 1);
	assert_true(n == 0 || names[n - 1] == '\0');
	for (const char *at = names; at < names + n; at += strlen(at) + 1)
		count += name == NULL || strcmp(at, name) == 0;
	return count;
}
