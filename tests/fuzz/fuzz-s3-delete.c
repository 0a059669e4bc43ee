#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/aws/s3-delete.h"

/* What the answer calls a key can be asked for again, if XML can carry it. */
static void
ask_again(const struct s3_delete_answer *a)
{
	char md5[S3_DELETE_MD5_SIZE];
	struct buf body;
	size_t n = 0;

	buf_init(&body, 1 << 20);
	s3_delete_begin(&body);
	for (size_t i = 0; i < a->n && body.len < 1 << 16; i++)
		if (s3_delete_takes(a->list[i].key)) {
			s3_delete_key(&body, a->list[i].key);
			n++;
		}
	PROMISE(s3_delete_end(&body, md5) == 0);
	PROMISE(strlen(md5) == S3_DELETE_MD5_SIZE - 1);
	for (const char *at = body.data; (at = strstr(at, "<Key>")); at++)
		n--;
	PROMISE(n == 0);
	buf_free(&body);
}

/* The first byte says how many bytes come at a time. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct s3_delete_answer a = { .n = 0 };
	const size_t step = size > 0 ? 1 + data[0] : 1;
	struct err e;
	int r = 0;

	s3_delete_answer_begin(&a);
	for (size_t at = 1; r == 0 && at < size; at += step)
		r = s3_delete_answer_add(&a, data + at,
					 size - at < step ? size - at : step,
					 &e);
	if (r == 0)
		r = s3_delete_answer_end(&a, &e);
	for (size_t i = 0; i < a.n; i++) {
		PROMISE(a.list[i].key != NULL);
		PROMISE(a.list[i].code == NULL || strlen(a.list[i].code) <
							  size);
	}
	if (r == 0)
		ask_again(&a);
	s3_delete_answer_free(&a);
	return 0;
}
