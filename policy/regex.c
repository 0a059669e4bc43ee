#include <config.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "regex.h"

/* NEVER_BACKSLASH_C: a single byte of a character would break UTF-8. */
#define REGEX_FLAGS (PCRE2_UTF | PCRE2_CASELESS | PCRE2_AUTO_CALLOUT |	\
		     PCRE2_NEVER_BACKSLASH_C)

struct spending {
	size_t left, last;
};

struct regex {
	pcre2_code *code;
};

static void *
take(size_t size, void *arena)
{
	return arena_alloc(arena, size);
}

static void
leave(void *p, void *arena)
{
	/* It goes with the arena. */
	(void)p;
	(void)arena;
}

struct regex *
regex_new(const char *pattern, struct arena *a, char *why, size_t size)
{
	pcre2_general_context *general;
	pcre2_compile_context *context;
	struct regex *r = arena_alloc(a, sizeof(*r));
	PCRE2_SIZE at = 0;
	int error = 0;

	general = pcre2_general_context_create(take, leave, a);
	context = pcre2_compile_context_create(general);
	r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
				REGEX_FLAGS, &error, &at, context);
	if (r->code != NULL)
		return r;
	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, size) < 0)
		snprintf(why, size, "error %d", error);
	return NULL;
}

static int
spend(pcre2_callout_block *at, void *spending)
{
	struct spending *s = spending;
	const size_t here = at->current_position;
	/* The way back is a jump. */
	const size_t cost = REGEX_WORK_ITEM +
		(here > s->last ? here - s->last : 0);

	s->last = here;
	if (cost >= s->left) {
		s->left = 0;
		return PCRE2_ERROR_CALLOUT;
	}
	s->left -= cost;
	return 0;
}

static int
match_within(const struct regex *r, const char *s, size_t n,
	     struct spending *spending)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int found = PCRE2_ERROR_NOMEMORY;

	if (context != NULL && data != NULL) {
		pcre2_set_match_limit(context, REGEX_STEPS_MAX);
		pcre2_set_depth_limit(context, REGEX_DEPTH_MAX);
		pcre2_set_heap_limit(context, REGEX_HEAP_MAX);
		pcre2_set_callout(context, spend, spending);
		found = pcre2_match(r->code, (PCRE2_SPTR)s, n, 0, 0, data,
				    context);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return found;
}

enum regex_answer
regex_match(const struct regex *r, const char *s, size_t n, size_t *work)
{
	const size_t most = *work < REGEX_WORK_MAX ? *work : REGEX_WORK_MAX;
	struct spending spending = { .left = most };
	int found;

	if (n > REGEX_TEXT_MAX || most <= n)
		return REGEX_UNKNOWN;
	found = match_within(r, s, n, &spending);
	*work -= most - spending.left;
	if (found >= 0)
		return REGEX_YES;
	return found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_UNKNOWN;
}

bool
regex_whole(const char *pattern, const char *s, size_t n)
{
	pcre2_match_data *data;
	pcre2_code *code;
	PCRE2_SIZE at;
	int error, found;

	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			     PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error, &at,
			     NULL);
	if (code == NULL)
		abort();
	data = pcre2_match_data_create(1, NULL);
	found = pcre2_match(code, (PCRE2_SPTR)s, n, 0, 0, data, NULL);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return found >= 0;
}
