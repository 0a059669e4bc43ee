#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/crc.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "maintain-private.h"

#define CHUNK ((size_t)1 << 20)

/* CRC-32C of the metadata and of zeros where the payload was. */
static uint32_t
crc_erased(const struct format_record *r, const char *metadata)
{
	static const uint8_t zeros[4096];
	uint64_t crc = crc_add(CRC_32C, 0, metadata, (size_t)r->metadata_n);

	for (uint64_t left = r->stored_n; left > 0;) {
		const size_t n = left < sizeof(zeros) ? (size_t)left
				 : sizeof(zeros);

		crc = crc_add(CRC_32C, crc, zeros, n);
		left -= n;
	}
	return (uint32_t)crc;
}

/* Bytes from..to of one file to the same place of another. */
static int
copy_range(int in, int out, uint64_t from, uint64_t to)
{
	uint8_t *chunk = mem_alloc(CHUNK);
	int ret = 0;

	while (ret == 0 && from < to) {
		const size_t n = to - from < CHUNK ? (size_t)(to - from)
				 : CHUNK;
		struct iovec part = { chunk, n };

		if (fsio_pread(in, chunk, n, (off_t)from) != (ssize_t)n)
			ret = -1;
		else
			ret = fsio_pwritev(out, &part, 1, (off_t)from);
		from += n;
	}
	free(chunk);
	return ret;
}

/* All of the segment but the payload of r, whose header is new. */
static int
copy_without(const struct segment *s, int out, struct format_record *r,
	     const char *metadata, struct err *e)
{
	const uint64_t payload = r->place.offset + FORMAT_RECORD_HEADER +
				 r->metadata_n;
	uint8_t header[FORMAT_RECORD_HEADER];
	struct iovec part = { header, sizeof(header) };
	struct stat st;

	r->state = FORMAT_ERASED;
	r->data_crc = crc_erased(r, metadata);
	format_put_record(r, header);
	if (fstat(s->fd, &st) < 0 ||
	    copy_range(s->fd, out, 0, payload) < 0 ||
	    copy_range(s->fd, out, payload + r->stored_n,
		       (uint64_t)st.st_size) < 0 ||
	    fsio_pwritev(out, &part, 1, (off_t)r->place.offset) < 0 ||
	    ftruncate(out, st.st_size) < 0 ||
	    fchown(out, st.st_uid, st.st_gid) < 0 ||
	    fchmod(out, st.st_mode & 07777) < 0)
		return err_errno(e, "cannot write the segment anew");
	return 0;
}

static int
replace(int dir, int fd, const char *new, const char *name, struct err *e)
{
	int ret = fsio_sync(fd);	/* STEP erase-sync */

	if (ret < 0)
		return err_errno(e, "cannot flush %s", new);
	ret = renameat(dir, new, dir, name);	/* STEP erase-name */
	if (ret < 0)
		return err_errno(e, "cannot rename %s to %s", new, name);
	ret = fsio_sync(dir);		/* STEP erase-name-sync */
	return ret < 0 ? err_errno(e, "cannot flush the directory") : 0;
}

/* The segment without those bytes, in its place. */
static int
rewrite(struct archive *a, struct format_record *r, const char *metadata,
	struct err *e)
{
	char name[FORMAT_NAME_SIZE], new[FORMAT_NAME_SIZE];
	int fd, ret;

	format_name(r->place.segment, name);
	snprintf(new, sizeof(new), "%010" PRIu32 ".erase", r->place.segment);
	if (fsio_unlink(a->dir, new) < 0 && errno != ENOENT)
		return err_errno(e, "cannot remove %s", new);
	fd = fsio_openat(a->dir, new, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return err_errno(e, "cannot create %s", new);
	ret = copy_without(&a->segment, fd, r, metadata, e);
	if (ret == 0)
		ret = replace(a->dir, fd, new, name, e);
	if (ret < 0)
		fsio_unlink(a->dir, new);
	fsio_close(&fd);
	return ret;
}

static int
check(const struct format_record *r, const char *id, struct err *e)
{
	char first[FORMAT_ID_SIZE];

	format_id(r->first, first);
	if (r->type == FORMAT_AGAIN)
		return err_stop(e, EX_DATAERR, "its bytes are those of %s: "
				"erase that one", first);
	if (r->type == FORMAT_CONTROL)
		return err_stop(e, EX_DATAERR, "%s is no message but a record "
				"of what was done to the archive", id);
	return 0;
}

static int
erase(const struct maintain *m, struct archive *a, const char *id,
      const char *reason, bool *already_r, struct err *e)
{
	struct control c = { .word = CONTROL_ERASE, .uid = m->uid, .id = id,
			     .reason = reason };
	char sha256[2 * HASH_SIZE + 1];
	struct format_record r;
	const char *metadata;
	int ret = archive_find(a, id, &r, &metadata, e);

	if (ret < 0 || check(&r, id, e) < 0)
		return -1;
	*already_r = r.state == FORMAT_ERASED;
	if (*already_r || m->dry)
		return 0;
	text_hex(sha256, r.payload_hash, HASH_SIZE);
	c.sha256 = sha256;
	if (maintain_record(m, &c, e) < 0)
		return -1;
	ret = rewrite(a, &r, metadata, e);
	if (ret < 0) {
		e->kind = ERR_STOP;
		e->code = EX_IOERR;
	}
	return ret;
}

int
maintain_erase(const struct maintain *m, const char *id, const char *reason,
	       bool *already_r, struct err *e)
{
	struct archive a;
	char shown[80];
	int lock, ret;

	if (maintain_begin(m, &a, &lock, e) < 0)
		return -1;
	ret = erase(m, &a, id, reason, already_r, e);
	archive_close(&a);
	fsio_close(&lock);
	text_quote(shown, sizeof(shown), id, strlen(id));
	return ret < 0 ? err_prefix(e, "cannot erase %s", shown) : 0;
}
