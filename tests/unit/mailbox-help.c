#include <config.h>

#include <fcntl.h>
#include <sys/mman.h>

#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "mailbox-help.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct mailbox box;
int theirs;

static int descriptors;

int
open_box(void **state)
{
	static char path[] = "/m/alice";
	int pair[2];

	(void)state;
	descriptors = scratch_descriptors();
	if (packet_pair(pair) < 0)
		return -1;
	box = (struct mailbox){ .path = path, .sock = pair[0],
				.state = MAILBOX_OPEN };
	theirs = pair[1];
	return 0;
}

int
close_box(void **state)
{
	(void)state;
	mailbox_close(&box);
	fsio_close(&theirs);
	return scratch_descriptors() == descriptors ? 0 : -1;
}

void
answer_with(const struct answer *w, size_t n, int fd)
{
	assert_int_equal(packet_send(theirs, w, n, fd), 0);
}

void
answer(const struct answer *w, int fd)
{
	answer_with(w, sizeof(w->a) + w->a.count, fd);
}

int
memory(const char *data, size_t n, bool sealed)
{
	int fd = memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write(fd, data, n), 0);
	if (sealed)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	return fd;
}
