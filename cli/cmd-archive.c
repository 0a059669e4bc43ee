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
	{ "list", "what is archived: filters, one line or JSON each",
	  cmd_archive_list },
	{ "show", "one message: envelope, why it is here, header, text",
	  cmd_archive_show },
	{ "cat", "the bytes of one message", cmd_archive_cat },
	{ "export", "messages as files, an mbox or a Maildir",
	  cmd_archive_export },
	{ "verify", "is all as it was written?", cmd_archive_verify },
	{ "prune", "remove what has been kept long enough",
	  cmd_archive_prune },
	{ "erase", "remove the bytes of a message, say why",
	  cmd_archive_erase },
	{ "stats", "how much there is", cmd_archive_stats },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static void
print_help(void)
{
	option_help(stdout, "fallbackmx archive COMMAND [options]",
		    "Reads and keeps the archives that the milter writes.",
		    rows);
	printf("\nCommands:\n");
	for (size_t i = 0; i < WORDS; i++)
		printf("  %-24s%s\n", words[i].name, words[i].about);
	printf("\n`fallbackmx archive COMMAND --help` says more.\n");
}

static int
run_without_word(int argc, char **argv)
{
	struct arguments a = { .help = false };
	struct err e;
	int first;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		return cmd_fail(&e, "archive");
	if (a.help) {
		print_help();
		return EX_OK;
	}
	err_stop(&e, EX_USAGE, "cannot run archive: expected a command");
	return cmd_fail(&e, "archive");
}

static int
run_archive(int argc, char **argv)
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
	err_stop(&e, EX_USAGE, "cannot run archive %s: no such command%s%s%s",
		 text_show(argv[1]), near ? " (did you mean " : "",
		 near ? near : "", near ? "?)" : "");
	return cmd_fail(&e, "archive");
}

const struct command cmd_archive = {
	"archive", "list, show, export, verify, prune archived mail",
	run_archive
};
