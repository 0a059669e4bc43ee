/*
 * A segment of an archive: the first byte says whether its checks are made
 * right first, else nothing but the checks would be tried. Then everything
 * that reads it reads it.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/base/crc.h"
#include "lib/journal/archive.h"
#include "lib/journal/control.h"
#include "lib/journal/verify.h"

#define INPUT_MAX 65536
#define RAW_MAX 0xfffff		/* or time goes into unpacking zeros */

/* In memory where that can be. */
static char folder[64] = "/dev/shm/fallbackmx-fuzz.XXXXXX";

static void
remove_folder(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/0000000001.segment", folder);
	unlink(path);
	rmdir(folder);
}

static void
write_segment(const uint8_t *data, size_t n)
{
	static int fd = -1;
	char path[128];

	if (fd < 0) {
		if (mkdtemp(folder) == NULL) {
			snprintf(folder, sizeof(folder),
				 "/tmp/fallbackmx-fuzz.XXXXXX");
			PROMISE(mkdtemp(folder) != NULL);
		}
		atexit(remove_folder);
		snprintf(path, sizeof(path), "%s/0000000001.segment", folder);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		PROMISE(fd >= 0);
	}
	/* A file that was empty in between is brought to the disk by ext4. */
	PROMISE(pwrite(fd, data, n, 0) == (ssize_t)n);
	PROMISE(ftruncate(fd, (off_t)n) == 0);
}

static void
put(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t
get(const uint8_t *at)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

static uint32_t
crc(const uint8_t *at, size_t n)
{
	return (uint32_t)crc_add(CRC_32C, 0, at, n);
}

/* Places and checks as they must be; lengths, types and bytes stay. */
static void
mend(uint8_t *data, size_t n)
{
	size_t at = FORMAT_SEGMENT_HEADER;

	if (n < at)
		return;
	put(data + 12, 1, 4);
	put(data + 108, crc(data, 108), 4);
	while (n - at >= FORMAT_RECORD_HEADER) {
		uint8_t *r = data + at;
		uint64_t rest = n - at - FORMAT_RECORD_HEADER;
		const uint64_t metadata = get(r + 56) % (rest + 1);
		const uint64_t stored = get(r + 64) % (rest - metadata + 1);

		memcpy(r, "FMXR\1", 5);
		put(r + 8, FORMAT_RECORD_HEADER, 2);
		put(r + 16, 1, 4);
		put(r + 24, at, 8);
		put(r + 40, get(r + 40) % at, 8);
		put(r + 56, metadata, 8);
		put(r + 64, stored, 8);
		put(r + 72, get(r + 72) & RAW_MAX, 8);
		put(r + 216, crc(r + FORMAT_RECORD_HEADER, (size_t)(
			metadata + stored)), 4);
		put(r + 220, crc(r, 220), 4);
		rest = (FORMAT_RECORD_HEADER + metadata + stored + 7) &
		       ~(uint64_t)7;
		if (rest >= n - at)
			break;
		at += rest;
	}
}

static void
read_payload(struct archive *a, const struct format_record *r)
{
	struct err e;
	struct payload_reader *p = archive_payload(a, r, &e);
	const void *data;
	uint64_t all = 0;
	ssize_t n = 0;

	while (p != NULL && (n = payload_next(p, &data, &e)) > 0)
		all += (uint64_t)n;
	PROMISE(all <= r->raw_n || r->type != FORMAT_MESSAGE);
	payload_close(p);
}

static void
read_all(void)
{
	static struct archive a;
	struct arena arena = { NULL };
	struct format_record r;
	struct control c;
	const char *metadata;
	struct err e;
	enum archive_found found;
	size_t n = 0;

	PROMISE(archive_open(&a, folder, &e) == 0);
	while ((found = archive_next(&a, &r, &metadata, &e)) != ARCHIVE_END) {
		PROMISE(found != ARCHIVE_FAILED);
		PROMISE(++n <= INPUT_MAX / 8);
		if (found != ARCHIVE_RECORD)
			continue;
		PROMISE(strlen(metadata) <= r.metadata_n);
		if (r.type == FORMAT_CONTROL)
			(void)control_read(metadata, (size_t)r.metadata_n, &c,
					   &arena, &e);
		else
			read_payload(&a, &r);
	}
	archive_close(&a);
	arena_free(&arena);
}

static void
ignore(void *to, enum verify_grade grade, const char *line)
{
	(void)to;
	(void)grade;
	for (; *line != '\0'; line++)
		PROMISE(*line >= ' ' && *line < 0x7f);
}

static void
find_tail(const uint8_t *data, size_t size)
{
	static struct segment s;
	struct segment_tail t;
	struct err e;
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (segment_open(&s, dir, 1, &e) == 0) {
		PROMISE(segment_find_tail(&s, &t, &e) == 0);
		PROMISE(t.end >= FORMAT_SEGMENT_HEADER && t.end <= size &&
			t.end + t.torn <= size && t.damage < size);
		/* What is neither is room. */
		for (size_t i = (size_t)(t.end + t.torn); i < size; i++)
			PROMISE(data[i] == 0);
		segment_close(&s);
	}
	close(dir);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t copy[INPUT_MAX];
	struct verify v = { .tell = ignore };
	struct err e;

	if (size < 1 || size - 1 > sizeof(copy))
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		mend(copy, size - 1);
	write_segment(copy, size - 1);
	read_all();
	find_tail(copy, size - 1);
	PROMISE(verify_archive(&v, folder, &e) == 0);
	return 0;
}
