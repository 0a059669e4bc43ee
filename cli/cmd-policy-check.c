#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "policy-file.h"
#include "input.h"
#include "lib/base/arena.h"

/* What explains or prints one document: a list may have 100,000 entries. */
#define OUTPUT_MAX (4 * POLICY_MAX)

struct arguments {
	struct option_list address_list;
	bool aws, print;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "aws", FIELD(aws),
	  .help = "refuse what Amazon would refuse: our extensions" },
	{ .name = "print", FIELD(print),
	  .help = "print the one FILE as Amazon's API takes it" },
	{ .name = "address-list", .argument = "NAME=FILE",
	  .kind = OPTION_LIST, FIELD(address_list),
	  .help = "the entries of a list that conditions name" },
	{ .name = NULL }
};

static const char *const kinds[] = {
	[POLICY_UNKNOWN] = "nothing known",
	[POLICY_TRAFFIC] = "a traffic policy",
	[POLICY_RULE_SET] = "a rule set",
	[POLICY_RELAY] = "a relay",
	[POLICY_ARCHIVE] = "an archive",
	[POLICY_ADDRESS_LIST] = "an address list",
};

static int
check_arguments(const struct arguments *a, int n, char **files, struct err *e)
{
	const size_t standard = input_count_standard(files, (size_t)n) +
		policy_file_count_standard(&a->address_list);

	if (n == 0)
		return err_stop(e, EX_USAGE, "cannot check: expected FILE");
	if (standard > 1)
		return err_stop(e, EX_USAGE, "cannot check: standard input can "
				"be read only once");
	if (a->print && n > 1)
		return err_stop(e, EX_USAGE, "cannot use --print: expected one "
				"FILE; found %d", n);
	return 0;
}

static int
print_canonical(const struct policy *p, const struct policy_file *d,
		struct err *e)
{
	struct buf out;
	bool printed;

	buf_init(&out, OUTPUT_MAX);
	printed = policy_print(p, d->kind, &out) && !out.cut;
	if (printed)
		fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
	return printed ? 0 : err_stop(e, EX_DATAERR, "cannot print %s: it is "
				      "%s", input_name(d->file),
				      kinds[d->kind]);
}

static void
print_understood(const struct policy *p, const struct policy_file *d)
{
	struct buf out;
	char *rest;

	printf("%s: %s, no mistakes\n", input_name(d->file), kinds[d->kind]);
	buf_init(&out, OUTPUT_MAX);
	policy_explain(p, &out);
	for (char *line = out.data; line != NULL && *line != '\0';
	     line = rest) {
		rest = line + strcspn(line, "\n");
		printf("  %.*s\n", (int)(rest - line), line);
		rest += *rest == '\n';
	}
	buf_free(&out);
}

/* One document by itself. */
static int
check_document(const struct arguments *a, struct policy_file *d, struct err *e)
{
	struct policy *p = policy_new();
	int ret = policy_file_read(d, e);

	if (ret == 0)
		ret = policy_file_add(p, d, e);
	if (ret < 0)
		d->kind = POLICY_UNKNOWN;
	else if (a->print)
		ret = print_canonical(p, d, e);
	else
		print_understood(p, d);
	fflush(stdout);		/* mistakes of the next one go to stderr */
	policy_free(p);
	return ret;
}

static bool
refers(const struct policy_file *d)
{
	return d->kind == POLICY_TRAFFIC || d->kind == POLICY_RULE_SET;
}

/* Whether all is there that document d names: several traffic policies or rule
 * sets may be checked at once, each with all the lists, relays, archives. */
static int
check_references(const struct arguments *a, struct policy_file *all, size_t n,
		 struct policy_file *d, struct err *e)
{
	struct policy *p = policy_new();
	int ret = policy_file_add_lists(p, &a->address_list, e);

	for (size_t i = 0; i < n && ret == 0; i++)
		if (&all[i] == d || (all[i].kind != POLICY_UNKNOWN &&
				     !refers(&all[i])))
			ret = policy_file_add(p, &all[i], e);
	if (ret == 0)
		policy_file_warn(p, d->file);
	policy_free(p);
	return ret;
}

static int
check_all(const struct arguments *a, struct policy_file *all, size_t n)
{
	struct err e;
	int code = EX_OK;

	for (size_t i = 0; i < n; i++)
		code = cmd_go_on(code, check_document(a, &all[i], &e), &e);
	for (size_t i = 0; i < n; i++)
		if (refers(&all[i]))
			code = cmd_go_on(code, check_references(
				a, all, n, &all[i], &e), &e);
	return code;
}

static int
check_files(const struct arguments *a, char **files, size_t n)
{
	struct policy_file *all = mem_alloc(n * sizeof(*all));
	int code;

	for (size_t i = 0; i < n; i++)
		all[i] = (struct policy_file){ .file = files[i],
					       .aws = a->aws };
	code = check_all(a, all, n);
	for (size_t i = 0; i < n; i++)
		policy_file_free(&all[i]);
	free(all);
	return code;
}

static int
run_check(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;

	if (check_arguments(a, n, words, e) < 0)
		return -1;
	return check_files(a, words, (size_t)n);
}

static struct arguments given;
const struct command cmd_policy_check = {
	.name = "policy check",
	.brief = "name every mistake of policy documents, or what they say",
	.synopsis = "[options] FILE...",
	.about = "Reads traffic policies, rule sets, relays, archives and "
		 "address lists of\nAmazon SES Mail Manager, and says what is "
		 "wrong with each, or what it says.\nA FILE \"-\" is standard "
		 "input.",
	.rows = rows,
	.arguments = &given,
	.run = run_check,
};
