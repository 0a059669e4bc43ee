#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/arena.h"
#include "policy/addresslist.h"

#define ENTRIES_MAX ((size_t)64)

static size_t
next(const uint8_t **data, size_t *size, char *out, size_t room)
{
	const uint8_t *nl = memchr(*data, '\n', *size);
	const size_t len = nl ? (size_t)(nl - *data) : *size;
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < room; i++) {
		const char c = (char)(*data)[i];

		if (c == '\0')
			continue;
		out[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	out[n] = '\0';
	*data += len + (nl != NULL);
	*size -= len + (nl != NULL);
	return n;
}

/* The same, said plainly. */
static bool
matches(const char *entry, const char *address, size_t n)
{
	const char *at = memrchr(address, '@', n);
	const char *entry_at = strrchr(entry, '@');
	const char *star = strchr(entry, '*');
	const char *domain = entry_at ? entry_at + 1 : entry;
	size_t local_n, entry_n;

	if (at == NULL)
		return false;
	local_n = (size_t)(at - address);
	entry_n = entry_at ? (size_t)(entry_at - entry) : 0;
	if (domain[0] == '*') {
		const size_t m = strlen(domain + 1), d = n - local_n - 1;

		if (d <= m || memcmp(at + 1 + d - m, domain + 1, m) != 0)
			return false;
	} else if (strcmp(at + 1, domain) != 0)
		return false;
	if (entry_at == NULL)
		return true;
	if (star == NULL || star > entry_at)
		return local_n == entry_n &&
			memcmp(address, entry, local_n) == 0;
	if (local_n < entry_n - 1)
		return false;
	return star == entry ?
		memcmp(at - (entry_n - 1), entry + 1, entry_n - 1) == 0 :
		memcmp(address, entry, entry_n - 1) == 0;
}

/* The first line is an address, the others are entries. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *entries[ENTRIES_MAX];
	struct arena a = { 0 };
	char address[512], entry[512];
	const size_t n = next(&data, &size, address, sizeof(address));
	struct addresslist *l;
	bool found = false;
	size_t count = 0;

	while (size > 0 && count < ENTRIES_MAX) {
		next(&data, &size, entry, sizeof(entry));
		if (!addresslist_entry_ok(entry))
			continue;
		entries[count] = arena_strdup(&a, entry);
		found = found || matches(entries[count++], address, n);
	}
	l = addresslist_new(entries, count, &a);
	PROMISE(addresslist_has(l, address, n) == found);
	arena_free(&a);
	return 0;
}
