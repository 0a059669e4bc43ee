#include <config.h>

#include "lib/base/crc.h"
#include "unit.h"

#define NINE "123456789"

struct vector {
	enum crc kind;
	const char *text;
	size_t times;
	uint64_t crc;
};

/* The check values of the CRC catalogue, and of RFC 3720, B.4. */
static const struct vector vectors[] = {
	{ CRC_32, NINE, 1, 0xcbf43926 },
	{ CRC_32C, NINE, 1, 0xe3069283 },
	{ CRC_64NVME, NINE, 1, 0xae8b14860a799888 },
	{ CRC_32, "", 1, 0 },
	{ CRC_32C, "", 1, 0 },
	{ CRC_64NVME, "", 1, 0 },
	{ CRC_32C, "\xff", 32, 0x62a8ab43 },
	{ CRC_32, "a", 1, 0xe8b7be43 },
};

static void
known_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];
		uint64_t crc = 0;

		ROW(v->text);
		for (size_t k = 0; k < v->times; k++)
			crc = crc_add(v->kind, crc, v->text, strlen(v->text));
		assert_true(crc == v->crc);
	}
}

/* A bit at a time, as the definition has it. */
static uint64_t
slowly(uint64_t polynomial, uint64_t ones, const uint8_t *p, size_t n)
{
	uint64_t crc = ones;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return crc ^ ones;
}

static void
as_the_definition_says(void **state)
{
	static const struct {
		enum crc kind;
		uint64_t polynomial, ones;
	} kinds[] = {
		{ CRC_32, 0xedb88320, UINT32_MAX },
		{ CRC_32C, 0x82f63b78, UINT32_MAX },
		{ CRC_64NVME, 0x9a6c9329ac4bc9b5, UINT64_MAX },
	};
	uint8_t data[300];
	unsigned seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (uint8_t)(seed >> 16);
	}
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (size_t n = 0; n <= 257; n++) {
			const uint8_t *p = data + n % 9;
			const uint64_t crc = slowly(kinds[i].polynomial,
						    kinds[i].ones, p, n);
			uint64_t parts;

			assert_true(crc_add(kinds[i].kind, 0, p, n) == crc);
			parts = crc_add(kinds[i].kind, 0, p, n / 3);
			parts = crc_add(kinds[i].kind, parts, p + n / 3,
					n - n / 3);
			assert_true(parts == crc);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(as_the_definition_says),
	};

	return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}
