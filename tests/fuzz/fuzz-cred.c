#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/aws/cred-private.h"
#include "lib/aws/cred-sts.h"

static void
creds_ok(const struct aws_creds *c, bool ends)
{
	PROMISE(c->access_key[0] > ' ' && c->secret_key[0] > ' ');
	PROMISE(strlen(c->access_key) < sizeof(c->access_key));
	PROMISE(strlen(c->secret_key) < sizeof(c->secret_key));
	PROMISE(strlen(c->token) < sizeof(c->token));
	/* They go into a header line. */
	PROMISE(strpbrk(c->token, "\r\n ") == NULL);
	PROMISE(!ends || c->expires > 0);
}

/* Answers that bring credentials: the first byte says of whom. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct aws_creds c;
	struct err e = { .text = "" };
	int ret;

	if (size == 0)
		return 0;
	size--;
	if (*data == 's')
		ret = size > CRED_ANSWER_MAX ? -1 :
			cred_sts_read(text, size, "f", &c, &e);
	else
		ret = cred_json(*data == 'p' ? CRED_JSON_PROCESS :
				*data == 'c' ? CRED_JSON_CONTAINER :
				CRED_JSON_INSTANCE, text, size, "f", &c, &e);
	if (ret == 0)
		creds_ok(&c, *data != 'p');
	for (const char *p = e.text; *p != '\0'; p++)
		PROMISE(*p >= ' ' && *p < 127);
	return 0;
}
