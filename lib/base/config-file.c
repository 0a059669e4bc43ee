#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/config.h"
#include "lib/base/text.h"

static int
check_mode(int fd, const char *file, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_stop(e, EX_IOERR, "cannot read %s: %s",
				text_show(file), strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_stop(e, EX_CONFIG, "cannot use %s: not a file",
				text_show(file));
	if (geteuid() == 0 && (st.st_uid != 0 || (st.st_mode & 022) != 0))
		return err_stop(e, EX_CONFIG, "cannot use %s: root needs a "
				"file of its own that no others may write "
				"(found owner %u, mode %04o)", text_show(file),
				st.st_uid, st.st_mode & 07777);
	return 0;
}

int
config_read_file(const char *file, struct buf *text, struct err *e)
{
	char part[8192];
	ssize_t n;
	int fd, ret;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		int code = errno == EACCES ? EX_NOPERM : EX_CONFIG;

		return err_stop(e, code, "cannot read %s: %s", text_show(file),
				strerror(errno));
	}
	ret = check_mode(fd, file, e);
	while (ret == 0 && !text->cut) {
		n = read(fd, part, sizeof(part));
		if (n == 0)
			break;
		if (n > 0)
			buf_add(text, part, (size_t)n);
		else if (errno != EINTR)
			ret = err_stop(e, EX_IOERR, "cannot read %s: %s",
				       text_show(file), strerror(errno));
	}
	close(fd);
	return ret;
}
