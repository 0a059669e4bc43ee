#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/base/log.h"
#include "lib/base/option.h"
#include "milter-ask.h"

#define PATIENCE 300	/* seconds: lists may be long */

struct arguments {
	const char *config, *socket;
	bool help;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(config),
	  .help = "where the socket is said [" CMD_CONFIG_FILE "]" },
	{ .name = "socket", .argument = "PATH", .kind = OPTION_STRING,
	  FIELD(socket), .help = "the milter's control socket" },
	{ .name = "help", FIELD(help), .help = "print this and end" },
	{ .name = NULL }
};

static const char synopsis[] = "fallbackmx reload [options]";
static const char about[] =
	"Has the running milter read its configuration and its policies "
	"again. With a\n"
	"mistake in any of them nothing changes, and the mistakes are said.";

/* What went wrong is for stderr, line by line. */
static void
say_lines(const struct buf *answer)
{
	const char *line = answer->data;

	while (line != NULL && *line != '\0') {
		const size_t n = strcspn(line, "\n");

		log_say("%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static int
run_reload(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct milter_question q = { .word = "reload", .seconds = PATIENCE };
	struct buf answer;
	struct err e;
	int first, code = EX_OK, ret;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		return cmd_fail(&e, "reload");
	if (a.help) {
		option_help(stdout, synopsis, about, rows);
		return EX_OK;
	}
	if (argc > first) {
		err_stop(&e, EX_USAGE, "cannot run reload: expected no "
			 "argument; found %d", argc - first);
		return cmd_fail(&e, "reload");
	}
	q.config = a.config;
	q.socket = a.socket;
	ret = milter_ask(&q, &answer, &code, &e);
	if (ret == 0 && code == EX_OK && answer.len > 0)
		fwrite(answer.data, 1, answer.len, stdout);
	else if (ret == 0)
		say_lines(&answer);
	buf_free(&answer);
	return ret < 0 ? cmd_fail(&e, "reload") : code;
}

const struct command cmd_reload = {
	"reload", "have the milter read its configuration again", run_reload
};
