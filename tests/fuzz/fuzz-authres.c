#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/arena.h"
#include "lib/mail/authres.h"

/* What was believed stays, unless a field has the job and that had not. */
static void
below_ok(const struct authres *was, const struct authres *is)
{
	PROMISE(is->spf == was->spf || is->spf_trust > was->spf_trust);
	PROMISE(is->dkim == was->dkim || is->dkim_trust > was->dkim_trust);
	PROMISE((is->dmarc_result == was->dmarc_result &&
		 is->dmarc == was->dmarc) ||
		is->dmarc_trust > was->dmarc_trust);
	if (was->forged && is->seen)
		PROMISE(was->seen || is->spf_trust == 2 ||
			is->dkim_trust == 2 || is->dmarc_trust == 2 ||
			is->spf_trust + is->dkim_trust + is->dmarc_trust == 0);
}

/* Lines are fields; the authserv-id is mx.example, the job 4bXyz1. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { NULL };
	char *value = arena_alloc(&a, size + 1), *rest = value, *field;
	struct authres r = { 0 };

	if (size > 0)
		memcpy(value, data, size);
	while ((field = strsep(&rest, "\n")) != NULL) {
		const struct authres was = r;

		authres_add(&r, field, "mx.example", "4bXyz1");
		PROMISE(r.seen >= was.seen && r.forged >= was.forged);
		below_ok(&was, &r);
		/* Of another, whatever it says: nothing changes. */
		if (strcasestr(field, "mx") == NULL &&
		    strchr(field, '"') == NULL)
			PROMISE(memcmp(&r, &was, sizeof(r)) == 0);
		PROMISE(r.spf <= AUTH_PASS && r.dkim <= AUTH_PASS);
		PROMISE(r.dmarc_result <= AUTH_PASS && r.dmarc <= DMARC_REJECT);
	}
	if (!r.seen)
		PROMISE(r.spf == AUTH_PROCESSING_FAILED &&
			r.dkim == AUTH_PROCESSING_FAILED &&
			r.dmarc_result == AUTH_PROCESSING_FAILED &&
			r.dmarc == DMARC_UNKNOWN);
	arena_free(&a);
	return 0;
}
