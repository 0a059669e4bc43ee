#include <config.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/base/option.h"
#include "lib/base/text.h"

struct arguments {
	bool help;
};

static const struct option_row rows[] = {
	{ .name = "help", .offset = offsetof(struct arguments, help),
	  .help = "print this and end" },
	{ .name = NULL }
};

static const struct command words[] = {
	{ "check", "name every mistake of policy documents, or what they say",
	  cmd_policy_check },
	{ "test", "try a policy on mail: what would be done, and why",
	  cmd_policy_test },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static void
print_help(void)
{
	option_help(stdout, "fallbackmx policy check|test [options] FILE...",
		    "Reads the traffic policies and rule sets of Amazon SES "
		    "Mail Manager, as\n`aws mailmanager` gives them.", rows);
	printf("\nCommands:\n");
	for (size_t i = 0; i < WORDS; i++)
		printf("  %-24s%s\n", words[i].name, words[i].about);
	printf("\n`fallbackmx policy COMMAND --help` says more.\n");
}

static int
run_without_word(int argc, char **argv)
{
	struct arguments a = { .help = false };
	struct err e;
	int first;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		return cmd_fail(&e, "policy");
	if (a.help) {
		print_help();
		return EX_OK;
	}
	err_stop(&e, EX_USAGE, "cannot run policy: expected check or test");
	return cmd_fail(&e, "policy");
}

static int
run_policy(int argc, char **argv)
{
	const char *names[WORDS + 1] = { NULL };
	const char *near;
	struct err e;

	if (argc < 2 || argv[1][0] == '-')
		return run_without_word(argc, argv);
	for (size_t i = 0; i < WORDS; i++) {
		names[i] = words[i].name;
		if (strcmp(argv[1], words[i].name) == 0)
			return words[i].run(argc - 1, argv + 1);
	}
	near = text_nearest(argv[1], names);
	err_stop(&e, EX_USAGE, "cannot run policy %s: expected check or "
		 "test%s%s%s", text_show(argv[1]),
		 near ? " (did you mean " : "", near ? near : "",
		 near ? "?)" : "");
	return cmd_fail(&e, "policy");
}

const struct command cmd_policy = {
	"policy", "check Mail Manager policies, and try them on mail",
	run_policy
};
