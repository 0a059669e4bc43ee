#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "input.h"
#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

#define PART ((size_t)65536)

const char *
input_name(const char *file)
{
	return strcmp(file, "-") == 0 ? "standard input" : text_show(file);
}

size_t
input_count_standard(char *const *files, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += strcmp(files[i], "-") == 0;
	return count;
}

static int
read_all(int fd, const char *file, struct buf *text, struct err *e)
{
	char part[PART];

	while (!text->cut) {
		ssize_t n = fsio_read(fd, part, sizeof(part));

		if (n < 0)
			return err_stop(e, errno == EISDIR ? EX_NOINPUT :
					EX_IOERR, "cannot read %s: %s",
					input_name(file), strerror(errno));
		if (n == 0)
			break;
		buf_add(text, part, (size_t)n);
	}
	return 0;
}

int
input_read(const char *file, size_t max, struct buf *text, struct err *e)
{
	const bool standard = strcmp(file, "-") == 0;
	int fd = STDIN_FILENO, ret;

	buf_init(text, max);
	if (!standard)
		fd = fsio_openat(AT_FDCWD, file, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return err_stop(e, EX_NOINPUT, "cannot read %s: %s",
				input_name(file), strerror(errno));
	ret = read_all(fd, file, text, e);
	if (!standard)
		fsio_close(&fd);
	if (ret == 0 && text->cut)
		return err_stop(e, EX_DATAERR, "cannot read %s: found more "
				"than %zu bytes, expected at most that",
				input_name(file), max);
	if (ret == 0 && text->data == NULL)
		text->data = mem_strdup("");
	return ret;
}
