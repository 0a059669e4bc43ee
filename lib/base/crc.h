/*
 * crc - the cyclic redundancy checks that S3 knows: CRC-32 (as in zlib),
 * CRC-32C (RFC 3720), CRC-64/NVME (NVM Express, NVM Command Set). All are
 * reflected, begin with ones and end inverted. Pure; for any thread: the tables
 * are made before main().
 */
#ifndef FALLBACKMX_CRC_H
#define FALLBACKMX_CRC_H

#include <stddef.h>
#include <stdint.h>

enum crc { CRC_32, CRC_32C, CRC_64NVME };

/* Goes on from before; 0 to begin with. */
uint64_t crc_add(enum crc kind, uint64_t before, const void *data, size_t n);

#endif
