#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "sync/mailbox.h"

static const char *
id_of(const char *name)
{
	const char *slash = strchr(name, '/');

	return delivery_name_id(slash != NULL ? slash + 1 : name);
}

static void
names_ok(const struct names *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *id = id_of(s->list[i]), *found;

		PROMISE(id != NULL);
		PROMISE(i == 0 || memcmp(id_of(s->list[i - 1]), id,
					 DELIVERY_ID_LEN) <= 0);
		found = names_find(s, id);
		PROMISE(found != NULL);
		PROMISE(memcmp(id_of(found), id, DELIVERY_ID_LEN) == 0);
	}
}

/* The input is the list that a deliverer gives. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct answer w = { .a = { .op = DELIVERY_LIST } };
	struct mailbox m = { .path = (char[]){ "/m" } };
	struct names names;
	struct err e;
	int pair[2], fd = memfd_create("names", MFD_ALLOW_SEALING);

	PROMISE(fd >= 0 && fsio_write(fd, data, size) == 0);
	PROMISE(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
		      F_SEAL_WRITE) == 0);
	PROMISE(packet_pair(pair) == 0);
	m.sock = pair[0];
	PROMISE(packet_send(pair[1], &w, sizeof(w.a), fd) == 0);
	if (mailbox_list(&m, false, &names, &e) == 0)
		names_ok(&names);
	names_free(&names);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
