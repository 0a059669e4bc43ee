#include <config.h>

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "sync/engine.h"

struct arguments {
	struct sync_options sync;
	struct aws_settings aws;
	const char *config, *state_dir, *owner;
	bool json, verbose;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(config),
	  .help = "the configuration [" CMD_CONFIG_FILE "]" },
	{ .name = "state-dir", .argument = "DIR", .kind = OPTION_STRING,
	  FIELD(state_dir), .help = "ledger and locks" },
	{ .name = "owner", .argument = "USER", .kind = OPTION_STRING,
	  FIELD(owner),
	  .help = "whose MAILDIR it is, a name or UID:GID [its owner]" },
	{ .name = "keep", FIELD(sync.keep),
	  .help = "delete nothing from the source" },
	{ .name = "dry-run", .letter = 'n', FIELD(sync.dry_run),
	  .help = "list what would go where, change nothing" },
	{ .name = "max-time", .argument = "SECONDS", .kind = OPTION_INTEGER,
	  .min = 1, .max = 86400, .unit = "seconds", FIELD(sync.max_time),
	  .help = "begin no new batch after this time" },
	CMD_AWS_ROWS(struct arguments, aws),
	{ .name = "connections", .argument = "N", .kind = OPTION_INTEGER,
	  .min = 1, .max = AWS_CONNECTIONS_MAX, FIELD(aws.connections),
	  .help = "requests to S3 at once [16]" },
	{ .name = "json", FIELD(json),
	  .help = "print the counters as one JSON object on stdout" },
	{ .name = "verbose", .letter = 'v', FIELD(verbose),
	  .help = "say what is done, and the summary, on stderr" },
	{ .name = "audit", FIELD(sync.audit),
	  .help = "compare source, ledger and Maildirs, change nothing" },
	{ .name = "take-over", FIELD(sync.take_over),
	  .help = "adopt Maildirs that belong to another ledger" },
	{ .name = NULL }
};

/* What the table cannot say about words that do not go together. */
static int
check_arguments(const struct arguments *a, int n, struct err *e)
{
	if (n != 0 && n != 2)
		return err_stop(e, EX_USAGE, "cannot sync: expected SOURCE and "
				"MAILDIR, or neither; found %d argument%s", n,
				text_s((uint64_t)n));
	if (n == 2 && a->config != NULL)
		return err_stop(e, EX_USAGE, "cannot use --config: SOURCE and "
				"MAILDIR are given");
	if (n == 0 && a->owner != NULL)
		return err_stop(e, EX_USAGE, "cannot use --owner: it needs "
				"SOURCE and MAILDIR");
	if (a->sync.audit && a->sync.dry_run)
		return err_stop(e, EX_USAGE, "cannot use --dry-run with "
				"--audit: neither changes anything");
	return 0;
}

static int
make_settings(struct settings *s, struct arguments *a, char **words,
	      struct err *e)
{
	int ret;

	if (words != NULL)
		ret = settings_from_arguments(s, words[0], words[1], a->owner,
					      e);
	else
		ret = cmd_read_settings(s, a->config, e);
	if (ret == 0)
		ret = cmd_need_sources(s, a->config, "sync", e);
	if (ret == 0)
		ret = cmd_use_aws(s, &a->aws, e);
	if (ret == 0)
		ret = settings_state_dir(s, a->state_dir, e);
	return ret;
}

static int
run_sync(void *arguments, int n, char **words, struct err *e)
{
	struct arguments *a = arguments;
	struct settings s = { 0 };
	struct report *r;
	int code;

	log_open("fallbackmx", a->verbose);
	if (check_arguments(a, n, e) < 0 ||
	    make_settings(&s, a, n > 0 ? words : NULL, e) < 0) {
		settings_free(&s);
		return -1;
	}
	settings_open_aws(&s);
	a->sync.quiet = a->json;
	r = report_new();
	sync_run(&s, &a->sync, r);
	if (a->json)
		report_json(r);
	if (a->verbose || isatty(STDERR_FILENO))
		report_summary(r);
	code = r->exit_code;
	settings_free(&s);
	return code;
}

static struct arguments given;
const struct command cmd_sync = {
	.name = "sync",
	.brief = "import mail from its source into Maildirs",
	.synopsis = "[options] [SOURCE MAILDIR]",
	.about = "Imports every object of SOURCE (s3://BUCKET/PREFIX/ or "
		 "file:///DIRECTORY/)\ninto MAILDIR, exactly once, and then "
		 "removes it from SOURCE. Without SOURCE\nand MAILDIR: all "
		 "sources of the configuration.",
	.rows = rows,
	.arguments = &given,
	.run = run_sync,
};
