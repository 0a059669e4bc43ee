#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd.h"
#include "lib/aws/aws-env.h"
#include "lib/base/log.h"
#include "lib/base/option.h"
#include "lib/base/process.h"
#include "lib/base/text.h"
#include "sync/settings.h"

static const struct command *const commands[] = {
	&cmd_sync, &cmd_check, &cmd_config, &cmd_policy, &cmd_status,
	&cmd_reload, &cmd_archive,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

struct arguments {
	bool help, version;
};

static const struct option_row rows[] = {
	{ .name = "help", .help = "print this and end",
	  .offset = offsetof(struct arguments, help) },
	{ .name = "version", .help = "print the version and end",
	  .offset = offsetof(struct arguments, version) },
	{ .name = NULL }
};

int
cmd_fail(const struct err *e, const char *command)
{
	log_problem("%s", e->text);
	if (e->code == EX_USAGE)
		log_say("try: fallbackmx %s%s--help", command,
			*command ? " " : "");
	return e->code ? e->code : EX_TEMPFAIL;
}

int
cmd_go_on(int code, int ret, const struct err *e, const char *command)
{
	int failed = ret < 0 ? cmd_fail(e, command) : EX_OK;

	return code == EX_OK ? failed : code;
}

void
cmd_say_lines(const struct buf *lines)
{
	const char *line = lines->data;

	while (line != NULL && *line != '\0') {
		const size_t n = strcspn(line, "\n");

		log_problem("%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

void
cmd_explain_missing(const char *file, struct err *e)
{
	if (file == NULL && access(CMD_CONFIG_FILE, F_OK) < 0 &&
	    errno == ENOENT)
		err_stop(e, EX_CONFIG, "cannot read %s: there is none; write "
			 "it (fallbackmx.json(5)), or give --config, or SOURCE "
			 "and MAILDIR", CMD_CONFIG_FILE);
}

int
cmd_read_settings(struct settings *s, const char *file, struct err *e)
{
	struct buf mistakes;
	int ret;

	buf_init(&mistakes, CMD_MISTAKES_MAX);
	ret = settings_read(s, file ? file : CMD_CONFIG_FILE, &mistakes, e);
	cmd_say_lines(&mistakes);
	buf_free(&mistakes);
	if (ret < 0)
		cmd_explain_missing(file, e);
	return ret;
}

int
cmd_need_sources(const struct settings *s, const char *file,
		 const char *command, struct err *e)
{
	if (s->sources_n > 0)
		return 0;
	return err_stop(e, EX_CONFIG, "cannot %s: %s has no \"sources\"; say "
			"there where mail comes from (fallbackmx.json(5)), or "
			"give it on the command line", command,
			text_show(file ? file : CMD_CONFIG_FILE));
}

int
cmd_use_aws(struct settings *s, struct aws_settings *given, struct err *e)
{
	const char *bundle = given->ca_bundle;

	if (bundle != NULL)
		given->ca_bundle = settings_absolute(s, bundle);
	if (bundle != NULL && given->ca_bundle == NULL)
		return err_stop(e, EX_USAGE, "cannot use --ca-bundle %s: "
				"expected a file without \"..\"",
				text_show(bundle));
	return settings_use_aws(s, given, e);
}

static void
print_help(void)
{
	option_help(stdout, "fallbackmx COMMAND [options]",
		    "Brings mail that Amazon SES took while the own server "
		    "was down\ninto the Maildirs of its owners, exactly once.",
		    rows);
	printf("\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-24s%s\n", commands[i]->name, commands[i]->about);
	printf("\n`fallbackmx COMMAND --help` says more.\n");
}

static int
say_unknown(const char *word)
{
	const char *names[COMMANDS + 1] = { NULL };
	const char *near;
	struct err e;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i]->name;
	near = text_nearest(word, names);
	err_stop(&e, EX_USAGE, "cannot run %s: no such command%s%s%s",
		 text_show(word), near ? " (did you mean " : "",
		 near ? near : "", near ? "?)" : "");
	return cmd_fail(&e, "");
}

static int
run_without_command(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct err e;
	int first;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		return cmd_fail(&e, "");
	if (a.version)
		printf("fallbackmx %s\n", PACKAGE_VERSION);
	else if (a.help)
		print_help();
	else
		goto nothing;
	return EX_OK;
nothing:
	err_stop(&e, EX_USAGE, "cannot run: expected a command");
	return cmd_fail(&e, "");
}

static int
run(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-')
		return run_without_command(argc, argv);
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
	return say_unknown(argv[1]);
}

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
	return finish_output(run(argc, argv));
}
