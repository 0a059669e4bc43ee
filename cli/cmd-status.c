#include <config.h>

#include <stdio.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/base/option.h"
#include "milter-ask.h"

#define PATIENCE 10	/* seconds */

struct arguments {
	const char *config, *socket;
	bool json, help;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(config),
	  .help = "the configuration [" CMD_CONFIG_FILE "]" },
	{ .name = "socket", .argument = "PATH", .kind = OPTION_STRING,
	  FIELD(socket), .help = "the milter's control socket" },
	{ .name = "json", FIELD(json), .help = "print one JSON object" },
	{ .name = "help", FIELD(help), .help = "print this and end" },
	{ .name = NULL }
};

static const char synopsis[] = "fallbackmx status [options]";
static const char about[] =
	"Asks the running milter how it fares: what is in force, and what it "
	"counted.";

static int
run_status(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct milter_question q = { .seconds = PATIENCE };
	struct buf answer;
	struct err e;
	int first, code = EX_OK, ret;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		return cmd_fail(&e, "status");
	if (a.help) {
		option_help(stdout, synopsis, about, rows);
		return EX_OK;
	}
	if (argc > first) {
		err_stop(&e, EX_USAGE, "cannot run status: expected no "
			 "argument; found %d", argc - first);
		return cmd_fail(&e, "status");
	}
	q.config = a.config;
	q.socket = a.socket;
	q.word = a.json ? "status-json" : "status";
	ret = milter_ask(&q, &answer, &code, &e);
	if (ret == 0 && answer.len > 0)
		fwrite(answer.data, 1, answer.len, stdout);
	buf_free(&answer);
	return ret < 0 ? cmd_fail(&e, "status") : code;
}

const struct command cmd_status = {
	"status", "ask the milter how it fares", run_status
};
