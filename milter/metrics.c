#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counter.h"
#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "metrics.h"

static int
write_new(const char *name, const struct buf *text, struct err *e)
{
	char shown[320];
	int fd, ret = -1;

	text_quote(shown, sizeof(shown), name, strlen(name));
	/* One that is there is left from a kill, or a link of somebody's. */
	unlink(name);
	fd = fsio_openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL |
			 O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_errno(e, "cannot make %s", shown);
	if (fchmod(fd, 0644) == 0)
		ret = fsio_write(fd, text->data, text->len);
	if (ret < 0)
		err_errno(e, "cannot write %s", shown);
	if (fsio_close(&fd) < 0 && ret == 0)
		ret = err_errno(e, "cannot write %s", shown);
	return ret;
}

int
metrics_write(const char *file, struct err *e)
{
	struct arena a = { 0 };
	const char *name = arena_printf(&a, "%s.tmp", file);
	struct buf text;
	int ret;

	buf_init(&text, METRICS_MAX);
	counter_print(&text);
	ret = write_new(name, &text, e);
	if (ret == 0 && rename(name, file) < 0) {
		char shown[320];

		ret = err_errno(e, "cannot replace %s",
				text_quote(shown, sizeof(shown), file,
					   strlen(file)));
	}
	if (ret < 0)
		unlink(name);
	buf_free(&text);
	arena_free(&a);
	return ret;
}
