#include <config.h>

#include <stdio.h>
#include <sysexits.h>

#include "cmd.h"
#include "milter-ask.h"

#define PATIENCE 10	/* seconds */

struct arguments {
	const char *config, *socket;
	bool json;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(config),
	  .help = "the configuration [" CMD_CONFIG_FILE "]" },
	{ .name = "socket", .argument = "PATH", .kind = OPTION_STRING,
	  FIELD(socket), .help = "the milter's control socket" },
	{ .name = "json", FIELD(json), .help = "print one JSON object" },
	{ .name = NULL }
};

static int
run_status(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	const struct milter_question q = {
		.config = a->config, .socket = a->socket,
		.word = a->json ? "status-json" : "status",
		.seconds = PATIENCE,
	};
	struct buf answer;
	int code = EX_OK, ret;

	(void)n, (void)words;
	ret = milter_ask(&q, &answer, &code, e);
	if (ret == 0 && answer.len > 0)
		fwrite(answer.data, 1, answer.len, stdout);
	buf_free(&answer);
	return ret < 0 ? -1 : code;
}

static struct arguments given;
const struct command cmd_status = {
	.name = "status",
	.brief = "ask the milter how it fares",
	.synopsis = "[options]",
	.about = "Asks the running milter how it fares: what is in force, and "
		 "what it counted.",
	.rows = rows,
	.arguments = &given,
	.run = run_status,
	.instead = MILTER_ASK_INSTEAD,
};
