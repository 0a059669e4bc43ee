#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/aws/aws-error.h"

static bool
is_word(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || strchr("/\\\"'<>%", *s))
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	enum aws_root root = AWS_ROOT_UNKNOWN;
	struct aws_error e;
	bool xml;

	if (size > AWS_ERROR_MAX)
		return 0;
	xml = aws_error_read(&e, text, size);
	PROMISE(memchr(e.code, '\0', sizeof(e.code)) != NULL);
	PROMISE(memchr(e.message, '\0', sizeof(e.message)) != NULL);
	PROMISE(memchr(e.region, '\0', sizeof(e.region)) != NULL);
	PROMISE(is_word(e.code) && is_word(e.region));
	/* A verdict stays, however the bytes arrive. */
	for (size_t n = 0; n <= size && n < 300; n++) {
		const enum aws_root now = aws_error_root(text, n);

		PROMISE(root == AWS_ROOT_UNKNOWN || now == root);
		root = now;
	}
	/* expat and the quick look agree on a whole document. */
	if (xml && e.code[0] != '\0' && aws_error_root(text, size) !=
	    AWS_ROOT_ERROR)
		PROMISE(memmem(text, size, "ErrorResponse", 13) != NULL ||
			memmem(text, size, ":Error", 6) != NULL ||
			memchr(text, '\0', size) != NULL);
	return 0;
}
