/*
 * payload - the bytes of a message, packed with zstd (RFC 8878) for the disk
 * and unpacked again. What does not become smaller is kept as it is.
 *
 * Unpacking takes the record's word for the length and not the stored bytes':
 * one byte more is damage, so no input makes it write without end. It takes
 * some MiB of memory, whatever the message is.
 */
#ifndef FALLBACKMX_PAYLOAD_H
#define FALLBACKMX_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"
#include "lib/base/err.h"

#define PAYLOAD_LEVEL_MAX 19	/* beyond, reading needs much memory */

/* A part of a message; all of them come one after the other. */
struct payload_piece {
	const void *data;
	size_t n;
};

/* A message: pieces, and behind them the first file_n bytes of a file, which
 * are read when they are needed; nothing is mapped, so that a disk that fails
 * is an error and no signal. */
struct payload_source {
	const struct payload_piece *pieces;
	size_t pieces_n;
	int file;		/* the caller's; not looked at if file_n is 0 */
	uint64_t file_n;
};

struct payload {
	uint8_t *stored;	/* free() */
	size_t stored_n, raw_n;
	enum format_packing packing;
	uint8_t hash[HASH_SIZE];	/* of the raw bytes */
};

/* zstd's working memory, used again by the next who packs. Any thread. */
struct packer;
struct packer *packer_new(void);
void packer_free(struct packer *k);

/* level: 1 to PAYLOAD_LEVEL_MAX, 0: as it is. Fails with ERR_PERM for more
 * than FORMAT_RAW_MAX bytes, with ERR_TEMP when the file cannot be read. */
int payload_pack(struct packer *k, int level, const struct payload_source *s,
		 struct payload *p_r, struct err *e);

/* Reads the payload of a record of an open segment; fd is the caller's. */
struct payload_reader;
struct payload_reader *payload_open(int fd, const struct format_record *r);

/*
 * The next bytes; *data_r is valid until the next call. 0: this was all, and
 * length and hash are right. -1: damage (ERR_PERM), or it cannot be read; what
 * came before is not to be trusted then.
 */
ssize_t payload_next(struct payload_reader *p, const void **data_r,
		     struct err *e);
void payload_close(struct payload_reader *p);

#endif
