#include <config.h>

#include <ftw.h>
#include <limits.h>
#include <sys/mman.h>

#include "fuzz.h"

/* The program itself, under another name: its request handling is static. */
int deliver_main(int argc, char **argv);
#define main deliver_main
#include "deliver/main.c"
#undef main

static char root[PATH_MAX];

static int
remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)s;
	(void)type;
	(void)f;
	return remove(path);
}

static void
remove_root(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* In memory if possible: a Maildir that syncs to a disk is slow. */
static void
make_root(void)
{
	if (root[0] != '\0')
		return;
	snprintf(root, sizeof(root), "%s/fallbackmx-fuzz.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	PROMISE(mkdtemp(root) != NULL);
	atexit(remove_root);
}

/*
 * A request: op, flags, a byte for bits of what is said wrongly, a length,
 * then that many bytes of tail; the name is the tail's beginning.
 */
static size_t
take(const uint8_t *data, size_t size, struct request *r, size_t *tail)
{
	const uint8_t wrong = size > 2 ? data[2] : 0;
	size_t n = size > 3 ? data[3] : 0;

	if (size < 4)
		return 0;
	if (n > size - 4)
		n = size - 4;
	memset(&r->q, 0, sizeof(r->q));
	r->q.op = data[0] % 10U;
	r->q.flags = data[1];
	r->q.size = wrong & 1 ? 1U << (wrong % 64U / 2) : 4;
	r->q.added = (uint32_t)(wrong & 2 ? n + 1 : n);
	r->q.count = wrong >> 2;
	memcpy(r->tail, data + 4, n);
	memcpy(r->q.name, data + 4, n < sizeof(r->q.name) ? n
						: sizeof(r->q.name));
	if (r->q.op == DELIVERY_HELLO && n == 0)
		snprintf(r->q.name, sizeof(r->q.name), PACKAGE_VERSION);
	memcpy(r->q.uuid, data + 4, n < sizeof(r->q.uuid) ? n
						: sizeof(r->q.uuid));
	*tail = n;
	return n + 4;
}

static void
answer_ok(const struct answer *w, int r, const struct err *e, int fd)
{
	PROMISE(w->a.count <= DELIVERY_BATCH_MAX);
	PROMISE(r == 0 || e->kind == ERR_TEMP);
	PROMISE(r == 0 || e->text[0] != '\0');
	PROMISE(r == 0 || fd < 0);
	for (uint32_t i = 0; i < w->a.count; i++)
		PROMISE(w->status[i] <= DELIVERY_MISSING);
}

/* The Maildir stays inside its directory whatever the names are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request r;
	static struct answer w;
	char path[PATH_MAX + 16];
	struct maildir m;
	size_t used, tail = 0;
	int object = memfd_create("object", 0), steps = 0;

	make_root();
	snprintf(path, sizeof(path), "%s/m", root);
	maildir_init(&m, path);
	PROMISE(object >= 0 && fsio_write(object, "a\r\nb", 4) == 0);
	while (steps++ < 16 && (used = take(data, size, &r, &tail)) > 0) {
		struct err e = { .text = "" };
		int fd = -1, result;

		memset(&w, 0, sizeof(w));
		result = serve(&m, &r, tail, r.q.op == DELIVERY_PUT ? object
								    : -1,
			       &fd, &w, &e);
		answer_ok(&w, result, &e, fd);
		fsio_close(&fd);
		data += used;
		size -= used;
	}
	PROMISE(m.files_n <= DELIVERY_BATCH_MAX);
	maildir_close(&m);
	fsio_close(&object);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	/* Nothing outside of it. */
	PROMISE(rmdir(root) == 0 && mkdir(root, 0700) == 0);
	return 0;
}
