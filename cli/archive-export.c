#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "archive-export.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

static int
cannot(struct err *e, const char *verb, const char *what)
{
	return err_stop(e, errno == EACCES || errno == EPERM ? EX_NOPERM
			: EX_CANTCREAT, "cannot %s %s: %s", verb,
			text_show(what), strerror(errno));
}

int
export_lock(const struct export *x, int fd, struct err *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return cannot(e, "lock", x->path);
	return err_stop(e, EX_TEMPFAIL, "cannot export to %s: another export "
			"does", text_show(x->path));
}

int
export_create(int dir, const char *name)
{
	if (fsio_unlink(dir, name) < 0 && errno != ENOENT)
		return -1;
	return fsio_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

char *
export_json(const struct selected *m)
{
	json_t *o = select_json(m);
	char *text = json_dumps(o, JSON_COMPACT), *line;
	const size_t n = text ? strlen(text) : 0;

	if (text == NULL)
		abort();
	line = mem_alloc(n + 2);
	memcpy(line, text, n);
	line[n] = '\n';
	free(text);
	json_decref(o);
	return line;
}

bool
export_has_bytes(struct export *x, const struct selected *m)
{
	struct err e;
	struct payload_reader *p = archive_payload(m->a, m->r, &e);
	const bool has = p != NULL || e.code != EX_UNAVAILABLE;

	payload_close(p);
	x->gone += !has;
	return has;
}

/*
 * A line that begins with any number of ">" and "From " gets one ">" more
 * (mboxrd). The first letters of a line are put out when it is known what they
 * are; ">" may stand before them at once, since one more looks the same.
 * *matched: letters of "From " that are held back, NONE: no longer at the
 * beginning of a line.
 */
#define NONE 5
static size_t
quote(const char *in, size_t n, size_t *matched, char *out)
{
	static const char from[NONE + 1] = "From ";
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (*matched < NONE && in[i] == from[*matched]) {
			if (++*matched < NONE)
				continue;
			out[k++] = '>';
			memcpy(out + k, from, NONE);
			k += NONE;
			continue;
		}
		if (*matched < NONE) {
			memcpy(out + k, from, *matched);
			k += *matched;
			if (*matched > 0 || in[i] != '>')
				*matched = NONE;
		}
		out[k++] = in[i];
		if (in[i] == '\n')
			*matched = 0;
	}
	return k;
}

struct writer {
	int fd;
	enum export_form form;
	struct eol eol;
	size_t matched;
	char last;
	uint64_t *size;
};

static int
write_part(struct writer *w, const char *data, size_t n)
{
	char *quoted = NULL;
	int ret;

	if (w->form == EXPORT_MBOX) {
		quoted = mem_alloc(6 * n + NONE);
		n = quote(data, n, &w->matched, quoted);
		data = quoted;
	}
	ret = fsio_write(w->fd, data, n);
	if (n > 0)
		w->last = data[n - 1];
	*w->size += n;
	free(quoted);
	return ret;
}

static int
write_converted(struct writer *w, const char *data, size_t n)
{
	char *lf;
	int ret;

	if (w->form == EXPORT_RAW)
		return write_part(w, data, n);
	lf = mem_alloc(n + 1);
	n = eol_convert(&w->eol, data, n, lf);
	ret = write_part(w, lf, n);
	free(lf);
	return ret;
}

/* What was held back; an mbox ends each message with an empty line. */
static int
write_end(struct writer *w)
{
	static const char from[] = "From";
	char rest;
	size_t held;
	int ret = 0;

	if (w->form != EXPORT_RAW && eol_end(&w->eol, &rest) > 0)
		ret = write_part(w, &rest, 1);
	if (w->form != EXPORT_MBOX || ret < 0)
		return ret;
	held = w->matched < NONE ? w->matched : 0;
	if (held > 0 || w->last != '\n') {
		w->matched = NONE;
		ret = write_part(w, from, held);
		if (ret == 0)
			ret = write_part(w, "\n", 1);
	}
	return ret < 0 ? ret : write_part(w, "\n", 1);
}

int
export_payload(struct selected *m, int fd, enum export_form form,
	       uint64_t *size, struct err *e)
{
	struct writer w = { .fd = fd, .form = form, .size = size };
	struct payload_reader *p = archive_payload(m->a, m->r, e);
	const void *data;
	ssize_t n = -1;
	int ret = 0;

	while (p != NULL && ret == 0 && (n = payload_next(p, &data, e)) > 0)
		ret = write_converted(&w, data, (size_t)n);
	payload_close(p);
	if (n < 0) {
		e->kind = ERR_STOP;
		e->code = EX_DATAERR;
		return err_prefix(e, "cannot export %s", m->id);
	}
	if (ret == 0)
		ret = write_end(&w);
	return ret < 0 ? err_stop(e, EX_IOERR, "cannot export %s: %s", m->id,
				  strerror(errno)) : 0;
}

/* What the administrator named may be a link; what is in it may be somebody
 * else's. */
static int
open_folder(int at, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return cannot(e, "create", name);
	fd = at == AT_FDCWD ? fsio_openat(at, name, O_RDONLY | O_DIRECTORY, 0)
	     : fsio_opendir(at, name);
	return fd < 0 ? cannot(e, "open", name) : fd;
}

static int
open_eml(struct export *x, struct err *e)
{
	x->dir = open_folder(AT_FDCWD, x->path, e);
	return x->dir < 0 ? -1 : export_lock(x, x->dir, e);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of cur without their flags: a mail program may have moved them. */
static int
read_cur(struct export *x, struct err *e)
{
	int fd = fsio_openat(x->cur, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *f;

	if (d == NULL)
		return cannot(e, "list", x->path);
	while ((f = readdir(d)) != NULL) {
		f->d_name[strcspn(f->d_name, ":")] = '\0';
		x->names = mem_grow(x->names, x->names_n + 1,
				    sizeof(*x->names));
		x->names[x->names_n++] = mem_strdup(f->d_name);
	}
	closedir(d);
	if (x->names_n > 0)
		qsort(x->names, x->names_n, sizeof(*x->names), compare_names);
	return 0;
}

static int
open_maildir(struct export *x, struct err *e)
{
	x->dir = open_folder(AT_FDCWD, x->path, e);
	if (x->dir < 0 || export_lock(x, x->dir, e) < 0 ||
	    (x->tmp = open_folder(x->dir, "tmp", e)) < 0 ||
	    (x->new = open_folder(x->dir, "new", e)) < 0 ||
	    (x->cur = open_folder(x->dir, "cur", e)) < 0)
		return -1;
	if (x->metadata && (x->json = open_folder(x->dir, "metadata", e)) < 0)
		return -1;
	return read_cur(x, e);
}

/* NAME/ID as one name of a file. */
static void
flatten(const char *id, char out[320])
{
	snprintf(out, 320, "%s", id);
	for (char *p = out; *p != '\0'; p++)
		if (*p == '/')
			*p = '-';
}

/* A small file, whole or not there. */
static int
put_json(int dir, const char *name, const struct selected *m, struct err *e)
{
	char part[360], file[360];
	char *text = export_json(m);
	int fd, ret;

	snprintf(part, sizeof(part), ".%s.json.part", name);
	snprintf(file, sizeof(file), "%s.json", name);
	fd = export_create(dir, part);
	ret = fd < 0 ? -1 : fsio_write(fd, text, strlen(text));
	free(text);
	if (fsio_close(&fd) < 0 || ret < 0 ||
	    renameat(dir, part, dir, file) < 0)
		return cannot(e, "write", file);
	return 0;
}

/* The message into from/part, and from there to to/name. */
static int
put_file(struct selected *m, int from, const char *part, int to,
	 const char *name, enum export_form form, struct err *e)
{
	const struct timespec times[2] = {
		{ .tv_sec = (time_t)(m->r->time_us / 1000000) },
		{ .tv_sec = (time_t)(m->r->time_us / 1000000) },
	};
	uint64_t size = 0;
	int fd = export_create(from, part);
	int ret;

	if (fd < 0)
		return cannot(e, "create", part);
	ret = export_payload(m, fd, form, &size, e);
	if (ret == 0 && futimens(fd, times) < 0)
		ret = cannot(e, "date", part);
	/* A name that is there is taken for whole by the next run. */
	if (ret == 0 && fsio_datasync(fd) < 0)
		ret = cannot(e, "flush", part);
	if (fsio_close(&fd) < 0 && ret == 0)
		ret = cannot(e, "write", part);
	if (ret == 0 && renameat(from, part, to, name) < 0)
		ret = cannot(e, "rename", part);
	if (ret < 0)
		fsio_unlink(from, part);
	return ret;
}

/* Without a name in front two archives have the same ids. */
static int
count_there(struct export *x, const struct selected *m, const char *file,
	    const struct stat *st, struct err *e)
{
	if ((uint64_t)st->st_size != m->r->raw_n)
		return err_stop(e, EX_DATAERR, "cannot export %s: %s is there "
				"and is another message, of %jd bytes and not "
				"%" PRIu64 "; give another --output, or an "
				"--archive that holds both archives", m->id,
				file, (intmax_t)st->st_size, m->r->raw_n);
	x->there++;
	return 0;
}

static int
put_eml(struct export *x, struct selected *m, struct err *e)
{
	char name[320], file[360], part[360];
	struct stat st;

	flatten(m->id, name);
	snprintf(file, sizeof(file), "%s.eml", name);
	snprintf(part, sizeof(part), ".%s.eml.part", name);
	if (fstatat(x->dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return count_there(x, m, file, &st, e);
	if (!export_has_bytes(x, m))
		return 0;
	if ((x->metadata && put_json(x->dir, name, m, e) < 0) ||
	    put_file(m, x->dir, part, x->dir, file, EXPORT_RAW, e) < 0)
		return -1;
	x->written++;
	return 0;
}

static int
put_maildir(struct export *x, struct selected *m, struct err *e)
{
	char id[320], name[400];
	const char *key = name;

	flatten(m->id, id);
	snprintf(name, sizeof(name), "%" PRId64 ".%s.fallbackmx",
		 m->r->time_us / 1000000, id);
	if (faccessat(x->new, name, F_OK, 0) == 0 ||
	    (x->names_n > 0 && bsearch(&key, x->names, x->names_n,
				       sizeof(*x->names), compare_names))) {
		x->there++;
		return 0;
	}
	if (!export_has_bytes(x, m))
		return 0;
	if ((x->metadata && put_json(x->json, id, m, e) < 0) ||
	    put_file(m, x->tmp, name, x->new, name, EXPORT_LF, e) < 0)
		return -1;
	x->written++;
	return 0;
}

static int
close_folders(struct export *x, struct err *e)
{
	int ret = 0;

	if (x->dir >= 0 && fsio_syncfs(x->dir) < 0)
		ret = cannot(e, "flush", x->path);
	for (size_t i = 0; i < x->names_n; i++)
		free(x->names[i]);
	free(x->names);
	fsio_close(&x->json);
	fsio_close(&x->tmp);
	fsio_close(&x->new);
	fsio_close(&x->cur);
	fsio_close(&x->dir);
	return ret;
}

const struct export_kind export_eml = {
	"eml", open_eml, put_eml, close_folders
};
const struct export_kind export_maildir = {
	"maildir", open_maildir, put_maildir, close_folders
};
