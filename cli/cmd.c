#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "sync/settings.h"

#define WORDS_MAX 16

/* Its name, for the hints: a program runs one. */
static const char *running = "";

int
cmd_fail(const struct err *e)
{
	log_problem("%s", e->text);
	if (e->code == EX_USAGE)
		log_say("try: fallbackmx%s%s --help", *running ? " " : "",
			running);
	return e->code ? e->code : EX_TEMPFAIL;
}

int
cmd_go_on(int code, int ret, const struct err *e)
{
	const int failed = ret < 0 ? cmd_fail(e) : EX_OK;

	return code == EX_OK ? failed : code;
}

/* Of "archive list" the second: what the user types behind the first. */
static const char *
last_word(const struct command *c)
{
	const char *space = strrchr(c->name, ' ');

	return space ? space + 1 : c->name;
}

int
cmd_expect_word(const struct command *const *words, const char *said,
		struct err *e)
{
	const char *names[WORDS_MAX + 1] = { NULL }, *near;
	char all[256];

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		names[i] = last_word(words[i]);
	config_words(names, all, sizeof(all));
	near = said ? text_nearest(said, names) : NULL;
	return err_stop(e, EX_USAGE, "cannot run%s%s%s%s: expected %s%s%s%s",
			*running ? " " : "", running, said ? " " : "",
			said ? text_show(said) : "", all,
			near ? " (did you mean " : "", near ? near : "",
			near ? "?)" : "");
}

static void
print_help(const struct command *c)
{
	const char *space = *c->name ? " " : "";
	char synopsis[256];

	snprintf(synopsis, sizeof(synopsis), "fallbackmx%s%s %s", space,
		 c->name, c->synopsis);
	option_help(stdout, synopsis, c->about, c->rows);
	if (c->words == NULL)
		return;
	printf("\nCommands:\n");
	for (size_t i = 0; c->words[i] != NULL; i++)
		printf("  %-24s%s\n", last_word(c->words[i]),
		       c->words[i]->brief);
	printf("\n`fallbackmx%s%s COMMAND --help` says more.\n", space,
	       c->name);
}

static int
run_itself(const struct command *c, int n, char **words, struct err *e)
{
	if (c->run == NULL)
		return cmd_expect_word(c->words, NULL, e);
	if (c->instead != NULL && n > 0)
		return err_stop(e, EX_USAGE, "cannot run %s %s: expected no "
				"argument; %s", c->name, text_show(words[0]),
				c->instead);
	return c->run(c->arguments, n, words, e);
}

static const struct command *
find(const struct command *const *words, const char *name)
{
	while (*words != NULL && strcmp(last_word(*words), name) != 0)
		words++;
	return *words;
}

int
cmd_run(const struct command *c, int argc, char **argv)
{
	const bool word = c->words != NULL && argc > 1 && argv[1][0] != '-';
	const struct command *next = word ? find(c->words, argv[1]) : NULL;
	struct err e;
	int first = 0, ret;

	if (next != NULL)
		return cmd_run(next, argc - 1, argv + 1);
	running = c->name;
	if (word)
		ret = cmd_expect_word(c->words, argv[1], &e);
	else
		ret = option_parse(c->rows, c->arguments, argc, argv, &first,
				   &e);
	if (ret > 0) {
		print_help(c);
		ret = EX_OK;
	} else if (ret == 0) {
		ret = run_itself(c, argc - first, argv + first, &e);
	}
	option_free(c->rows, c->arguments);
	return ret < 0 ? cmd_fail(&e) : ret;
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
