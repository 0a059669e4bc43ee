#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/base/log.h"
#include "milter-ask.h"

#define PATIENCE 300	/* seconds: lists may be long */

struct arguments {
	const char *config, *socket;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(config),
	  .help = "where the socket is said [" CMD_CONFIG_FILE "]" },
	{ .name = "socket", .argument = "PATH", .kind = OPTION_STRING,
	  FIELD(socket), .help = "the milter's control socket" },
	{ .name = NULL }
};

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
run_reload(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	const struct milter_question q = {
		.config = a->config, .socket = a->socket, .word = "reload",
		.seconds = PATIENCE,
	};
	struct buf answer;
	int code = EX_OK, ret;

	(void)n, (void)words;
	ret = milter_ask(&q, &answer, &code, e);
	if (ret == 0 && code == EX_OK && answer.len > 0)
		fwrite(answer.data, 1, answer.len, stdout);
	else if (ret == 0)
		say_lines(&answer);
	buf_free(&answer);
	return ret < 0 ? -1 : code;
}

static struct arguments given;
const struct command cmd_reload = {
	.name = "reload",
	.brief = "have the milter read its configuration again",
	.synopsis = "[options]",
	.about = "Has the running milter read its configuration and its "
		 "policies again. With a\nmistake in any of them nothing "
		 "changes, and the mistakes are said.",
	.rows = rows,
	.arguments = &given,
	.run = run_reload,
	.instead = MILTER_ASK_INSTEAD,
};
