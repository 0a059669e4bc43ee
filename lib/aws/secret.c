#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "secret.h"

void
secret_wipe(void *data, size_t n)
{
	OPENSSL_cleanse(data, n);
}

void
secret_free(struct secret *s)
{
	if (s->data != NULL)
		secret_wipe(s->data, s->len + 1);
	free(s->data);
	*s = (struct secret){ 0 };
}

static int
check_file(struct secret *s, int fd, const char *path, size_t max,
	   struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_stop(e, EX_IOERR, "cannot read %s: %s",
				text_show(path), strerror(errno));
	s->mode = st.st_mode & 07777;
	s->uid = st.st_uid;
	s->gid = st.st_gid;
	if (!S_ISREG(st.st_mode))
		return err_stop(e, EX_CONFIG, "cannot read %s: it is %s, not a "
				"file", text_show(path), S_ISDIR(st.st_mode) ?
				"a directory" : "something else");
	if (st.st_size > (off_t)max)
		return err_stop(e, EX_CONFIG, "cannot read %s: it has %lld "
				"bytes, more than %zu", text_show(path),
				(long long)st.st_size, max);
	if (s->uid != 0 && s->uid != geteuid())
		return err_stop(e, EX_NOPERM, "cannot use %s: it belongs to "
				"uid %lu; run: chown %lu '%s'",
				text_show(path), (unsigned long)s->uid,
				(unsigned long)geteuid(), text_show(path));
	if ((s->mode & 02) != 0 ||
	    ((s->mode & 020) != 0 && s->gid != getegid() && s->gid != 0))
		return err_stop(e, EX_NOPERM, "cannot use %s: others may write "
				"to it (mode %04o); run: chmod go-w '%s'",
				text_show(path), (unsigned)s->mode,
				text_show(path));
	return 0;
}

/* One allocation: growing would leave copies behind. */
static int
read_all(struct secret *s, int fd, const char *path, size_t max,
	 struct err *e)
{
	ssize_t n;

	s->data = mem_alloc(max + 2);
	s->len = max + 1;
	n = fsio_read(fd, s->data, max + 1);
	if (n < 0)
		return err_stop(e, EX_IOERR, "cannot read %s: %s",
				text_show(path), strerror(errno));
	if ((size_t)n > max)
		return err_stop(e, EX_CONFIG, "cannot read %s: it has more "
				"than %zu bytes", text_show(path), max);
	s->len = (size_t)n;
	s->data[n] = '\0';
	if (memchr(s->data, '\0', s->len) != NULL)
		return err_stop(e, EX_CONFIG, "cannot read %s: it has NUL "
				"bytes, so it is no text", text_show(path));
	return 0;
}

int
secret_read(struct secret *s, const char *path, size_t max, struct err *e)
{
	int fd = fsio_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
			     0);
	int ret;

	*s = (struct secret){ 0 };
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_stop(e, errno == EACCES ? EX_NOPERM : EX_CONFIG,
				"cannot read %s as uid %lu: %s",
				text_show(path), (unsigned long)geteuid(),
				strerror(errno));
	ret = check_file(s, fd, path, max, e);
	if (ret == 0)
		ret = read_all(s, fd, path, max, e);
	fsio_close(&fd);
	if (ret < 0)
		secret_free(s);
	return ret;
}

static int
group_may_read(gid_t gid)
{
	const struct passwd *engine;

	if (gid == 0 || gid == getegid())
		return 1;
	engine = getpwnam(ENGINE_USER);
	return engine != NULL && engine->pw_gid == gid;
}

int
secret_guarded(const struct secret *s, const char *path, struct err *e)
{
	const char *mend = "go-rwx";

	if ((s->mode & 04) == 0 &&
	    ((s->mode & 040) == 0 || group_may_read(s->gid)))
		return 0;
	if ((s->mode & 040) != 0 && group_may_read(s->gid))
		mend = "o-rwx";
	return err_stop(e, EX_NOPERM, "cannot use %s: it holds secrets, and "
			"others may read it (mode %04o); run: chmod %s '%s'",
			text_show(path), (unsigned)s->mode, mend,
			text_show(path));
}
