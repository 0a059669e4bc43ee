/*
 * Export to an mbox (mboxrd). PATH.resume says how much of it counts and which
 * message of each archive was the last: a run goes on from there, and what was
 * written behind it by an interrupted one is cut off. Archives are known by
 * their own ids: a name may be given to another one.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "archive-export.h"
#include "lib/base/buf.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

#define SAVE_EVERY 500
#define RESUME_MAX ((size_t)1 << 20)

static int
cannot(struct err *e, const char *verb, const char *what)
{
	return err_stop(e, errno == EACCES || errno == EPERM ? EX_NOPERM
			: EX_CANTCREAT, "cannot %s %s: %s", verb,
			text_show(what), strerror(errno));
}

static const char *
beside(const struct export *x, const char *suffix, struct arena *a)
{
	return arena_printf(a, "%s%s", x->path, suffix);
}

/* The last message of an archive that is in the mbox. */
struct export_last {
	char archive[2 * FORMAT_UUID + 1], id[FORMAT_ID_SIZE];
};

/* The one of that archive; without a message if there was none. */
static struct export_last *
last_of(struct export *x, const char *archive)
{
	struct export_last *l = x->last;

	while (l < x->last + x->last_n && strcmp(l->archive, archive) != 0)
		l++;
	if (l < x->last + x->last_n)
		return l;
	x->last = mem_grow(x->last, x->last_n + 1, sizeof(*x->last));
	l = &x->last[x->last_n++];
	*l = (struct export_last){ .id = "" };
	snprintf(l->archive, sizeof(l->archive), "%s", archive);
	return l;
}

/* "fallbackmx-export BYTES BYTES", and ARCHIVE:ID of each archive. */
static bool
parse_resume(struct export *x, const char *text)
{
	char archive[2 * FORMAT_UUID + 1], id[FORMAT_ID_SIZE];
	struct format_place place;
	int n = 0;

	if (sscanf(text, "fallbackmx-export %" SCNu64 " %" SCNu64 "%n",
		   &x->mbox_size, &x->json_size, &n) != 2)
		return false;
	for (text += n; sscanf(text, " %32[0-9a-f]:%12s%n", archive, id, &n) ==
	     2 && format_place(id, &place); text += n)
		memcpy(last_of(x, archive)->id, id, sizeof(id));
	return strcmp(text, "\n") == 0;
}

/* 1: read, 0: there is none, -1. */
static int
read_resume(struct export *x, struct arena *a, struct err *e)
{
	const char *path = beside(x, ".resume", a);
	char *text = NULL;
	int fd = fsio_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
	ssize_t n = -1;
	bool good;

	if (fd < 0)
		return errno == ENOENT ? 0 : cannot(e, "open", path);
	text = mem_alloc(RESUME_MAX + 1);	/* zeros */
	n = fsio_read(fd, text, RESUME_MAX);
	fsio_close(&fd);
	good = n >= 0 && parse_resume(x, text);
	free(text);
	return good ? 1 : err_stop(e, EX_DATAERR, "cannot go on from %s: it is "
				   "not what an export wrote", text_show(path));
}

static char *
print_resume(const struct export *x)
{
	struct buf text;

	buf_init(&text, RESUME_MAX);
	buf_printf(&text, "fallbackmx-export %" PRIu64 " %" PRIu64,
		   x->mbox_size, x->json_size);
	for (size_t i = 0; i < x->last_n; i++)
		if (*x->last[i].id != '\0')
			buf_printf(&text, " %s:%s", x->last[i].archive,
				   x->last[i].id);
	buf_printf(&text, "\n");
	return text.data;
}

/* Everything so far is on disk, and then that it is. */
static int
save(struct export *x, struct err *e)
{
	struct arena a = { NULL };
	const char *path = beside(x, ".resume", &a);
	const char *new = beside(x, ".resume.new", &a);
	char *text = print_resume(x);
	int fd = -1, ret = fsio_datasync(x->mbox);

	if (ret == 0 && x->metadata)
		ret = fsio_datasync(x->mbox_json);
	if (ret == 0)
		ret = fd = export_create(AT_FDCWD, new);
	if (ret >= 0)
		ret = fsio_write(fd, text, strlen(text));
	if (ret == 0)
		ret = fsio_sync(fd);
	if (fsio_close(&fd) < 0 || ret < 0 || rename(new, path) < 0)
		ret = cannot(e, "write", path);
	free(text);
	arena_free(&a);
	x->since_saved = 0;
	return ret;
}

/* Opens a file that is `size` bytes long when this returns. */
static int
open_at(const struct export *x, const char *path, uint64_t size, bool resumed,
	struct err *e)
{
	int fd = fsio_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND |
			     O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0)
		return cannot(e, "create", path);
	if (fstat(fd, &st) < 0 || (!resumed && st.st_size > 0)) {
		errno = EEXIST;
		cannot(e, "create", path);
		fsio_close(&fd);
		return -1;
	}
	if ((uint64_t)st.st_size < size) {
		fsio_close(&fd);
		return err_stop(e, EX_DATAERR, "cannot go on with %s: it is "
				"shorter than an earlier run left it",
				text_show(path));
	}
	if (export_lock(x, fd, e) < 0) {
		fsio_close(&fd);
		return -1;
	}
	if (ftruncate(fd, (off_t)size) < 0) {
		cannot(e, "cut", path);
		fsio_close(&fd);
		return -1;
	}
	return fd;
}

static int
open_mbox(struct export *x, struct err *e)
{
	struct arena a = { NULL };
	const int resumed = read_resume(x, &a, e);

	if (resumed >= 0)
		x->mbox = open_at(x, x->path, x->mbox_size, resumed > 0, e);
	if (x->mbox >= 0 && x->metadata)
		x->mbox_json = open_at(x, beside(x, ".json", &a),
				       x->json_size, resumed > 0, e);
	arena_free(&a);
	if (x->mbox < 0 || (x->metadata && x->mbox_json < 0))
		return -1;
	/* What an interrupted run leaves must be known for its own. */
	return resumed > 0 ? 0 : save(x, e);
}

/* "From SENDER Thu Nov 22 10:00:00 2026", of printable ASCII without blanks. */
static int
put_from(struct export *x, const struct selected *m)
{
	const json_t *envelope = json_object_get(m->metadata, "envelope");
	const char *sender = select_text(json_object_get(json_object_get(
		envelope, "from"), "address"));
	const time_t t = (time_t)(m->r->time_us / 1000000);
	char line[512], shown[320], when[32] = "";
	struct tm tm;
	int n;

	text_quote(shown, sizeof(shown), sender, strlen(sender));
	for (char *p = shown; *p != '\0'; p++)
		if (*p == ' ')
			*p = '_';
	if (gmtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	n = snprintf(line, sizeof(line), "From %s %s\n",
		     *shown ? shown : "MAILER-DAEMON", when);
	x->mbox_size += (uint64_t)n;
	return fsio_write(x->mbox, line, (size_t)n);
}

static int
put_line(struct export *x, const struct selected *m)
{
	char *text = export_json(m);
	const size_t n = strlen(text);
	const int ret = fsio_write(x->mbox_json, text, n);

	x->json_size += n;
	free(text);
	return ret;
}

static int
put_mbox(struct export *x, struct selected *m, struct err *e)
{
	const uint64_t before = x->mbox_size;
	char archive[2 * FORMAT_UUID + 1], id[FORMAT_ID_SIZE];
	struct export_last *last;
	int ret;

	text_hex(archive, m->a->segment.header.uuid, FORMAT_UUID);
	format_id(m->r->place, id);
	last = last_of(x, archive);
	/* Records are exported in the order of their ids. */
	if (strcmp(id, last->id) <= 0) {
		x->there++;
		return 0;
	}
	if (!export_has_bytes(x, m))
		return 0;
	if (put_from(x, m) < 0)
		return cannot(e, "write", x->path);
	ret = export_payload(m, x->mbox, EXPORT_MBOX, &x->mbox_size, e);
	if (ret < 0) {
		/* The others go on without it. */
		x->mbox_size = before;
		if (ftruncate(x->mbox, (off_t)before) < 0)
			e->code = EX_IOERR;
		return -1;
	}
	if (x->metadata && put_line(x, m) < 0)
		return cannot(e, "write", x->path);
	memcpy(last->id, id, sizeof(id));
	x->written++;
	return ++x->since_saved < SAVE_EVERY ? 0 : save(x, e);
}

static int
close_mbox(struct export *x, struct err *e)
{
	int ret = 0;

	if (x->mbox >= 0 && x->since_saved > 0)
		ret = save(x, e);
	fsio_close(&x->mbox);
	fsio_close(&x->mbox_json);
	free(x->last);
	return ret;
}

const struct export_kind export_mbox = {
	"mbox", open_mbox, put_mbox, close_mbox
};
