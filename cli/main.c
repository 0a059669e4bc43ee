#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/aws/aws-env.h"
#include "lib/base/log.h"
#include "lib/base/process.h"

struct arguments {
	bool version;
};

static const struct option_row rows[] = {
	{ .name = "version", .help = "print the version and end",
	  .offset = offsetof(struct arguments, version) },
	{ .name = NULL }
};

static const struct option_row none[] = { { .name = NULL } };

static const struct command config = {
	.name = "config",
	.brief = "check the configuration, or show the settings in force",
	.synopsis = "check|show [options]",
	.about = "Reads fallbackmx.json and the policies that it names.",
	.rows = none,
	.words = (const struct command *const[]) {
		&cmd_config_check, &cmd_config_show, NULL
	},
};

static const struct command policy = {
	.name = "policy",
	.brief = "check Mail Manager policies, and try them on mail",
	.synopsis = "check|test [options] FILE...",
	.about = "Reads the traffic policies and rule sets of Amazon SES Mail "
		 "Manager, as\n`aws mailmanager` gives them.",
	.rows = none,
	.words = (const struct command *const[]) {
		&cmd_policy_check, &cmd_policy_test, NULL
	},
};

static const struct command archive = {
	.name = "archive",
	.brief = "list, show, export, verify, prune archived mail",
	.synopsis = "COMMAND [options]",
	.about = "Reads and keeps the archives that the milter writes.",
	.rows = none,
	.words = (const struct command *const[]) {
		&cmd_archive_list, &cmd_archive_show, &cmd_archive_cat,
		&cmd_archive_export, &cmd_archive_verify, &cmd_archive_prune,
		&cmd_archive_erase, &cmd_archive_stats, NULL
	},
};

static const struct command *const commands[] = {
	&cmd_sync, &cmd_check, &config, &policy, &cmd_status, &cmd_reload,
	&archive, NULL
};

static int
run_alone(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;

	(void)n, (void)words;
	if (!a->version)
		return cmd_expect_word(commands, NULL, e);
	printf("fallbackmx %s\n", PACKAGE_VERSION);
	return EX_OK;
}

static struct arguments given;
static const struct command program = {
	.name = "",
	.synopsis = "COMMAND [options]",
	.about = "Brings mail that Amazon SES took while the own server was "
		 "down\ninto the Maildirs of its owners, exactly once.",
	.rows = rows,
	.arguments = &given,
	.words = commands,
	.run = run_alone,
};

/* Output that did not arrive is no success. */
static int
finish_output(int code)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return code;
	log_problem("cannot write to standard output: %s",
		    errno ? strerror(errno) : "write error");
	return code == EX_OK || code == EX_TEMPFAIL ? EX_IOERR : code;
}

int
main(int argc, char **argv)
{
	/* What is known of AWS_* is set aside before it goes. */
	aws_env_take();
	process_reset(0);
	log_open("fallbackmx", 0);
	return finish_output(cmd_run(&program, argc, argv));
}
