#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/aws/s3-page.h"

/* The first byte says how many bytes come at a time. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct s3_page p = { .n = 0 };
	const size_t step = size > 0 ? 1 + data[0] : 1;
	struct err e;
	int r = 0;

	s3_page_begin(&p, "in/");
	for (size_t at = 1; r == 0 && at < size; at += step)
		r = s3_page_add(&p, data + at,
				size - at < step ? size - at : step, &e);
	if (r == 0)
		r = s3_page_end(&p, &e);
	for (size_t i = 0; r == 0 && i < p.n; i++) {
		PROMISE(p.list[i].key != NULL && p.list[i].etag != NULL);
		PROMISE(p.list[i].size < (uint64_t)1 << 62);
		PROMISE(p.list[i].mtime_ns >= 0 &&
			p.list[i].mtime_ns < 1000000000);
	}
	PROMISE(r < 0 || p.token == NULL || *p.token != '\0');
	s3_page_free(&p);
	return 0;
}
