#include <config.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regex.h"

/* NEVER_BACKSLASH_C: a single byte of a character would break UTF-8. */
#define REGEX_FLAGS (PCRE2_UTF | PCRE2_CASELESS | PCRE2_AUTO_CALLOUT |	\
		     PCRE2_NEVER_BACKSLASH_C)

struct regex {
	pcre2_code *code;
	/* For the item at each place of the pattern: how many characters it
	 * may pass and then fail, or BACK. */
	uint16_t *run;
};

#define BACK UINT16_MAX		/* as many as a group has caught */

struct noting {
	const char *pattern;
	uint16_t *run;
};

struct spending {
	const struct regex *r;
	size_t left, last;
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

/* \1, \g{1}, \k<name>, (?P=name) */
static bool
refers_back(const char *item, size_t n)
{
	if (n > 1 && item[0] == '\\')
		return strchr("123456789gk", item[1]) != NULL;
	return n > 3 && memcmp(item, "(?P=", 4) == 0;
}

/* a{100} or a{100,200}: 100. The brace of \x{2019} is none of these. */
static uint16_t
least_times(const char *item, size_t n)
{
	const char *brace = memrchr(item, '{', n);
	unsigned long times;

	if (brace == NULL || (item[0] == '\\' && brace == item + 2))
		return 0;
	times = strtoul(brace + 1, NULL, 10);
	return times < BACK ? (uint16_t)times : BACK - 1;
}

static int
note_run(pcre2_callout_enumerate_block *at, void *noted)
{
	const struct noting *x = noted;
	const char *item = x->pattern + at->pattern_position;
	const size_t n = at->next_item_length;

	x->run[at->pattern_position] = refers_back(item, n) ? BACK :
		least_times(item, n);
	return 0;
}

struct regex *
regex_new(const char *pattern, struct arena *a, char *why, size_t size)
{
	pcre2_general_context *general;
	pcre2_compile_context *context;
	struct regex *r = arena_alloc(a, sizeof(*r));
	const size_t n = strlen(pattern);
	PCRE2_SIZE at = 0;
	int error = 0;

	general = pcre2_general_context_create(take, leave, a);
	context = pcre2_compile_context_create(general);
	r->code = pcre2_compile((PCRE2_SPTR)pattern, n, REGEX_FLAGS, &error,
				&at, context);
	if (r->code == NULL) {
		if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why,
					    size) < 0)
			snprintf(why, size, "error %d", error);
		return NULL;
	}
	r->run = arena_alloc(a, (n + 1) * sizeof(*r->run));
	pcre2_callout_enumerate(r->code, note_run,
				&(struct noting){ pattern, r->run });
	return r;
}

/* The longest text that a group has caught so far. */
static size_t
longest_group(const pcre2_callout_block *at)
{
	const PCRE2_SIZE *v = at->offset_vector;
	size_t longest = 0;

	for (uint32_t i = 1; i < at->capture_top; i++)
		if (v[2 * i] != PCRE2_UNSET && v[2 * i + 1] > v[2 * i] &&
		    v[2 * i + 1] - v[2 * i] > longest)
			longest = v[2 * i + 1] - v[2 * i];
	return longest + at->capture_top;
}

/* What the next item may cost and not show, as it fails in the middle. */
static size_t
hidden_cost(const struct regex *r, const pcre2_callout_block *at)
{
	const size_t rest = at->subject_length - at->current_position;
	size_t run = r->run[at->pattern_position];

	if (run == BACK)
		run = longest_group(at);
	return run < rest ? run : rest;
}

static int
spend(pcre2_callout_block *at, void *spending)
{
	struct spending *s = spending;
	const size_t here = at->current_position;
	/* The way back is a jump. */
	const size_t cost = REGEX_WORK_ITEM + hidden_cost(s->r, at) +
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
	/* All of it is looked at once before the first item. */
	const size_t start = REGEX_WORK_ITEM + n / REGEX_WORK_ITEM;
	struct spending spending = { .r = r };
	int found;

	if (n > REGEX_TEXT_MAX || most <= n + REGEX_WORK_ITEM)
		return REGEX_UNKNOWN;
	spending.left = most - start;
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
