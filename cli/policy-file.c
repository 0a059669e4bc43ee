#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "policy-file.h"
#include "input.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "milter/tag.h"
#include "policy/survey.h"

#define LINES_MAX ((size_t)262144)
#define NAME_SIZE 320

/* Each line to stderr, behind context. */
static void
say_lines(const char *context, const char *lines)
{
	while (lines != NULL && *lines != '\0') {
		const size_t n = strcspn(lines, "\n");

		log_say("%s%.*s", context, (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

int
policy_file_read(struct policy_file *d, struct err *e)
{
	return input_read(d->file, POLICY_MAX, &d->text, e);
}

int
policy_file_add(struct policy *p, struct policy_file *d, struct err *e)
{
	struct buf lines;
	struct config_mistakes m = { .lines = &lines };
	char shown[NAME_SIZE];
	int ret = 0;

	/* input_name() is good for a few calls only. */
	snprintf(shown, sizeof(shown), "%s", input_name(d->file));
	m.file = shown;
	buf_init(&lines, LINES_MAX);
	d->kind = policy_add(p, d->kind, d->name, d->text.data, d->text.len,
			     d->aws, &m);
	say_lines("", lines.data);
	if (m.n > 0)
		ret = err_stop(e, EX_CONFIG, "cannot use %s: %zu mistake%s%s",
			       shown, m.n, text_s(m.n),
			       lines.cut ? ", not all of them shown" : "");
	buf_free(&lines);
	return ret;
}

void
policy_file_free(struct policy_file *d)
{
	buf_free(&d->text);
}

int
policy_file_load(struct policy *p, const char *file, enum policy_kind kind,
		 const char *name, struct err *e)
{
	struct policy_file d = { .file = file, .name = name, .kind = kind };
	int ret = policy_file_read(&d, e);

	if (ret == 0)
		ret = policy_file_add(p, &d, e);
	policy_file_free(&d);
	return ret;
}

static int
add_list(struct policy *p, const char *word, struct err *e)
{
	/* A file may have a '=' in its name; ARN, id and name have none. */
	const char *end = strchr(word, '=');
	const size_t n = end != NULL ? (size_t)(end - word) : 0;
	char name[NAME_SIZE];

	if (n == 0 || n >= sizeof(name) || end[1] == '\0')
		return err_stop(e, EX_USAGE, "cannot use --address-list %s: "
				"expected NAME=FILE, NAME being what "
				"conditions call the list by (its ARN, id or "
				"name)", text_show(word));
	memcpy(name, word, n);
	name[n] = '\0';
	return policy_file_load(p, end + 1, POLICY_ADDRESS_LIST, name, e);
}

int
policy_file_add_lists(struct policy *p, const struct option_list *lists,
		      struct err *e)
{
	for (size_t i = 0; i < lists->n; i++)
		if (add_list(p, lists->all[i], e) < 0)
			return -1;
	return 0;
}

size_t
policy_file_count_standard(const struct option_list *lists)
{
	size_t count = 0;

	for (size_t i = 0; i < lists->n; i++) {
		const char *end = strchr(lists->all[i], '=');

		count += end != NULL && strcmp(end, "=-") == 0;
	}
	return count;
}

/* Legal for Amazon; the milter refuses it. */
static void
find_tags(const struct policy *p, struct buf *lines)
{
	for (size_t i = 0; i < survey_rules(p); i++) {
		size_t n;
		const struct action *x = survey_actions(p, i, &n);

		for (size_t k = 0; k < n; k++) {
			const char *name = survey_header(&x[k]);

			if (name == NULL || !tag_is_name(name))
				continue;
			buf_printf(lines, "Rules[%zu].Actions[%zu].%s."
				   "HeaderName: %s is the milter's own "
				   "header; it does not load this rule set\n",
				   i, k, action_name(&x[k]), name);
		}
	}
}

void
policy_file_warn(const struct policy *p, const char *file)
{
	struct buf lines;
	char context[NAME_SIZE + 16];

	buf_init(&lines, LINES_MAX);
	policy_missing_facts(p, &lines);
	policy_missing_targets(p, &lines);
	find_tags(p, &lines);
	snprintf(context, sizeof(context), "warning: %s: ", input_name(file));
	say_lines(context, lines.data);
	buf_free(&lines);
}

void
policy_file_warn_facts(const struct policy *p)
{
	struct buf lines;

	buf_init(&lines, LINES_MAX);
	policy_missing_facts(p, &lines);
	say_lines("warning: ", lines.data);
	buf_free(&lines);
}

void
policy_file_warn_targets(const struct policy *p, const struct verdict *v,
			 struct buf *said)
{
	const size_t before = said->len;

	verdict_missing_targets(p, v, said);
	if (said->len > before)
		say_lines("warning: ", said->data + before);
}
