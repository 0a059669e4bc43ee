#include <config.h>

#include <sysexits.h>

#include "cred-private.h"
#include "secret.h"

int
cred_fetch(const char *method, const char *url, const char *const *lines,
	   int seconds, struct http_answer *r, struct err *e)
{
	const struct http_options o = { .connect_s = seconds };

	if (http_fetch(&o, method, url, lines, NULL, 0, seconds, r, e) < 0)
		return -1;
	if (r->body.len <= CRED_ANSWER_MAX)
		return 0;
	return err_set(e, ERR_TEMP, "the answer has more than %zu bytes",
		       CRED_ANSWER_MAX);
}

void
cred_answer_free(struct http_answer *r)
{
	if (r->body.data != NULL)
		secret_wipe(r->body.data, r->body.room);
	http_answer_free(r);
}

enum cred_result
cred_answered(const struct http_answer *r, const char *from, struct err *e)
{
	if (r->status == 200)
		return CRED_FOUND;
	err_set(e, ERR_TEMP, "cannot use %s: it answers %d", from, r->status);
	return CRED_FAILED;
}
