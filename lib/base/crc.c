#include <config.h>

#include <endian.h>
#include <string.h>

#include "crc.h"

#define SLICES 8	/* bytes at a time */

/* A check of 32 bits is one of 64 whose upper half stays empty. */
static struct {
	const uint64_t polynomial, ones;
	uint64_t table[SLICES][256];
} kinds[] = {
	[CRC_32] = { .polynomial = 0xedb88320, .ones = UINT32_MAX },
	[CRC_32C] = { .polynomial = 0x82f63b78, .ones = UINT32_MAX },
	[CRC_64NVME] = { .polynomial = 0x9a6c9329ac4bc9b5,
			 .ones = UINT64_MAX },
};

static void
make_table(uint64_t polynomial, uint64_t table[SLICES][256])
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
		table[0][i] = crc;
	}
	for (unsigned i = 0; i < 256; i++)
		for (int k = 1; k < SLICES; k++)
			table[k][i] = table[k - 1][i] >> 8 ^
				      table[0][table[k - 1][i] & 255];
}

/* At the first use two threads could meet in it. */
__attribute__((constructor)) static void
make_tables(void)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		make_table(kinds[k].polynomial, kinds[k].table);
}

uint64_t
crc_add(enum crc kind, uint64_t before, const void *data, size_t n)
{
	uint64_t(*const table)[256] = kinds[kind].table;
	const uint64_t ones = kinds[kind].ones;
	const unsigned char *p = data;
	uint64_t crc = before ^ ones;

	for (; n >= SLICES; n -= SLICES, p += SLICES) {
		uint64_t x;

		memcpy(&x, p, sizeof(x));
		x = le64toh(x) ^ crc;
		crc = table[7][x & 255] ^ table[6][x >> 8 & 255] ^
		      table[5][x >> 16 & 255] ^ table[4][x >> 24 & 255] ^
		      table[3][x >> 32 & 255] ^ table[2][x >> 40 & 255] ^
		      table[1][x >> 48 & 255] ^ table[0][x >> 56];
	}
	for (; n > 0; n--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
	return crc ^ ones;
}
