#include <config.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "cred-private.h"
#include "lib/base/text.h"
#include "secret.h"

/* jansson copies what it reads more than once; every copy is wiped. */
static void
free_wiped(void *p)
{
	if (p != NULL)
		secret_wipe(p, malloc_usable_size(p));
	free(p);
}

static const char *
text_of(const json_t *top, const char *key)
{
	const char *s = json_string_value(json_object_get(top, key));

	return s ? s : "";
}

static int
check_kind(enum cred_json kind, const json_t *top, const char *from,
	   struct err *e)
{
	const json_t *version = json_object_get(top, "Version");
	const char *code = text_of(top, "Code");

	if (kind == CRED_JSON_PROCESS && json_integer_value(version) != 1)
		return err_stop(e, EX_CONFIG, "cannot use what %s answers: "
				"expected \"Version\": 1", from);
	if (kind == CRED_JSON_INSTANCE && strcmp(code, "Success") != 0)
		return err_set(e, ERR_TEMP, "cannot use what %s answers: the "
			       "code is %s, expected Success", from,
			       *code ? text_show(code) : "missing");
	if (kind == CRED_JSON_CONTAINER && *text_of(top, "code") != '\0')
		return err_set(e, ERR_TEMP, "cannot use what %s answers: %s",
			       from, text_show(text_of(top, "code")));
	return 0;
}

static int
fill(enum cred_json kind, const json_t *top, const char *from,
     struct aws_creds *out, struct err *e)
{
	const char *token = kind == CRED_JSON_PROCESS ? "SessionToken" :
		"Token";
	const char *end = text_of(top, "Expiration");

	if (check_kind(kind, top, from, e) < 0 ||
	    cred_fill(out, text_of(top, "AccessKeyId"),
		      text_of(top, "SecretAccessKey"), text_of(top, token),
		      from, e) != CRED_FOUND)
		return -1;
	if (*end == '\0' && kind == CRED_JSON_PROCESS)
		return 0;
	out->expires = cred_time(end);
	if (out->expires > 0)
		return 0;
	return err_set(e, ERR_TEMP, "cannot use what %s answers: expected an "
		       "Expiration as 2026-11-22T03:00:00Z", from);
}

int
cred_json(enum cred_json kind, const char *text, size_t n, const char *from,
	  struct aws_creds *out, struct err *e)
{
	json_malloc_t allocate;
	json_free_t release;
	json_t *top;
	int ret;

	*out = (struct aws_creds){ .expires = 0 };
	json_get_alloc_funcs(&allocate, &release);
	json_set_alloc_funcs(allocate, free_wiped);
	/* Its own words about a mistake would show a piece of the text. */
	top = n <= CRED_ANSWER_MAX ? json_loadb(text, n, 0, NULL) : NULL;
	if (json_is_object(top))
		ret = fill(kind, top, from, out, e);
	else
		ret = err_set(e, ERR_TEMP, "cannot use what %s answers: "
			      "expected a JSON object", from);
	json_decref(top);
	json_set_alloc_funcs(allocate, release);
	if (ret < 0)
		secret_wipe(out, sizeof(*out));
	return ret;
}
