#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>

#include "journal.h"
#include "lib/base/fsio.h"
#include "lock.h"
#include "maintain-private.h"

static int
take_lock(int dir, struct err *e)
{
	int fd = lock_file(dir, MAINTAIN_LOCK, e);

	if (fd < 0) {
		e->kind = ERR_STOP;
		e->code = errno == EACCES || errno == EPERM ||
			  errno == EROFS ? EX_NOPERM : EX_IOERR;
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	fsio_close(&fd);
	return err_stop(e, EX_TEMPFAIL, "another process erases or prunes");
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
	struct journal_receipt r = { .full = false };
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
