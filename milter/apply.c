#include <config.h>

#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "tag.h"

#define VALUE_MAX ((size_t)8192)

/* libmilter writes nothing into what it is given. */
#define GIVEN(text) ((char *)(size_t)(text))

/* Removing the last one first leaves the ordinals of the others true. */
static bool
remove_fields(SMFICTX *ctx, const struct plan *p)
{
	for (size_t i = 0; i < p->removals_n; i++)
		if (smfi_chgheader(ctx, GIVEN(p->removals[i].name),
				   (int)p->removals[i].ordinal,
				   NULL) != MI_SUCCESS)
			return false;
	return true;
}

static const char *
with_blank(const char *value, bool blank, char *out, size_t room)
{
	if (!blank)
		return value;
	snprintf(out, room, " %s", value);
	return out;
}

static bool
add_fields(SMFICTX *ctx, const struct plan *p, bool blank)
{
	char value[VALUE_MAX];

	for (size_t i = 0; i < p->fields_n; i++)
		if (smfi_addheader(ctx, GIVEN(p->fields[i].name),
				   GIVEN(with_blank(p->fields[i].value, blank,
						    value, sizeof(value)))) !=
		    MI_SUCCESS)
			return false;
	return true;
}

static bool
add_tag(SMFICTX *ctx, const struct plan *p, bool blank)
{
	char value[VALUE_MAX];

	return p->tag == NULL ||
		smfi_insheader(ctx, 0, GIVEN(TAG_NAME),
			       GIVEN(with_blank(p->tag, blank, value,
						sizeof(value)))) == MI_SUCCESS;
}

static bool
change_recipients(SMFICTX *ctx, const struct plan *p)
{
	for (size_t i = 0; i < p->gone_n; i++)
		if (smfi_delrcpt(ctx, GIVEN(p->gone[i])) != MI_SUCCESS)
			return false;
	for (size_t i = 0; i < p->come_n; i++)
		if (smfi_addrcpt(ctx, GIVEN(p->come[i])) != MI_SUCCESS)
			return false;
	return true;
}

const char *
apply_plan(SMFICTX *ctx, const struct plan *p, bool blank)
{
	if (!remove_fields(ctx, p))
		return "cannot remove a header field";
	if (!add_fields(ctx, p, blank) || !add_tag(ctx, p, blank))
		return "cannot add a header field";
	if (!change_recipients(ctx, p))
		return "cannot change the recipients";
	if (p->hold != NULL &&
	    smfi_quarantine(ctx, GIVEN(p->hold)) != MI_SUCCESS)
		return "cannot quarantine";
	return NULL;
}

sfsistat
apply_reply(SMFICTX *ctx, const struct reply *r)
{
	char text[2 * REPLY_TEXT_MAX];

	/* Without our words it is still the right class. */
	reply_escape(r, text);
	smfi_setreply(ctx, GIVEN(r->code), GIVEN(r->status), text);
	return reply_is_permanent(r) ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

sfsistat
apply_answer(SMFICTX *ctx, const struct plan *p)
{
	switch (p->result) {
	case RESULT_REJECTED:
	case RESULT_TEMPFAILED:
		return apply_reply(ctx, &p->reply);
	case RESULT_DROPPED:
		return SMFIS_DISCARD;
	case RESULT_ACCEPTED:
	case RESULT_QUARANTINED:
	case RESULTS:
		break;
	}
	return SMFIS_CONTINUE;
}
