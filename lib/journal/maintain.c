#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal.h"
#include "lib/base/fsio.h"
#include "maintain-private.h"

static int
take_lock(int dir, struct err *e)
{
	int fd = fsio_openat(dir, MAINTAIN_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW,
			     0600);
	struct stat st;

	if (fd < 0) {
		const int code = errno == EACCES || errno == EPERM ||
				 errno == EROFS ? EX_NOPERM : EX_IOERR;

		err_errno(e, "cannot lock it");
		e->kind = ERR_STOP;
		e->code = code;
		return -1;
	}
	if (geteuid() == 0 && fstat(dir, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid) < 0)
		err_errno(e, "cannot give its lock to its owner");
	else if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	else
		err_stop(e, EX_TEMPFAIL, "another process erases or prunes");
	fsio_close(&fd);
	e->kind = ERR_STOP;
	e->code = e->code ? e->code : EX_IOERR;
	return -1;
}

int
maintain_begin(const struct maintain *m, struct archive *a_r, int *lock_r,
	       struct err *e)
{
	*lock_r = -1;
	if (archive_open(a_r, m->dir, e) < 0)
		return -1;
	if (m->dry)
		return 0;
	*lock_r = take_lock(a_r->dir, e);
	if (*lock_r >= 0)
		return 0;
	archive_close(a_r);
	return -1;
}

int
maintain_record(const struct maintain *m, const struct control *c,
		struct err *e)
{
	/* What frees room must not wait for room. */
	const struct journal_options o = { .free_bytes = 1, .existing = true };
	struct journal *j;
	struct journal_receipt r;
	char *text = control_print(c);
	int ret = journal_open(m->dir, &o, &j, e);

	if (ret == 0) {
		ret = journal_control(j, m->now_us, text, strlen(text), &r, e);
		journal_close(j);
	}
	free(text);
	if (ret < 0 && e->kind != ERR_STOP) {
		e->kind = ERR_STOP;
		e->code = r.full ? EX_IOERR : EX_TEMPFAIL;
	}
	return ret;
}
