#include <config.h>

#include <stdio.h>
#include <sysexits.h>

#include "check-milter.h"
#include "cmd.h"
#include "sync/check.h"

struct arguments {
	struct aws_settings aws;
	const char *config, *postfix_config;
};

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  .offset = offsetof(struct arguments, config),
	  .help = "the configuration [" CMD_CONFIG_FILE "]" },
	CMD_AWS_ROWS(struct arguments, aws),
	{ .name = "postfix-config", .argument = "DIR", .kind = OPTION_STRING,
	  .offset = offsetof(struct arguments, postfix_config),
	  .help = "where main.cf is [Postfix's own]" },
	{ .name = NULL }
};

static void
print_result(const struct check_result *r)
{
	static const char *const levels[] = {
		[CHECK_OK] = "ok", [CHECK_WARNING] = "warning",
		[CHECK_FAILED] = "FAILED",
	};

	printf("%s: %s: %s%s%s\n", levels[r->level], r->name, r->what,
	       r->remedy ? " - " : "", r->remedy ? r->remedy : "");
	fflush(stdout);		/* a server may take its time */
}

static int
make_settings(struct settings *s, struct arguments *a, int n, char **words,
	      struct err *e)
{
	int ret;

	if (n > 1)
		return err_stop(e, EX_USAGE, "cannot check: expected SOURCE "
				"or nothing; found %d arguments", n);
	if (n == 1 && a->postfix_config != NULL)
		return err_stop(e, EX_USAGE, "cannot use --postfix-config: "
				"SOURCE is given");
	if (n == 1 && a->config != NULL)
		return err_stop(e, EX_USAGE, "cannot use --config: SOURCE is "
				"given");
	if (n == 1)
		ret = settings_from_source(s, words[0], e);
	else
		ret = cmd_read_settings(s, a->config, e);
	return ret < 0 || s->sources_n == 0 ? ret :
	       cmd_use_aws(s, &a->aws, e);
}

static int
check_sources(struct settings *s, struct arguments *a)
{
	const struct check_options o = {
		.given = &a->aws, .result = print_result,
	};

	if (s->sources_n > 0) {
		settings_open_aws(s);
		return check_run(s, &o);
	}
	print_result(&(struct check_result) {
		.level = CHECK_OK, .name = "source",
		.what = "there is none in the configuration",
	});
	return EX_OK;
}

static int
run_check(void *arguments, int n, char **words, struct err *e)
{
	struct arguments *a = arguments;
	struct settings s = { .state_dir = NULL };
	bool alone;
	int code, worse;

	if (make_settings(&s, a, n, words, e) < 0) {
		settings_free(&s);
		return -1;
	}
	alone = s.sources_n == 0;
	code = check_sources(&s, a);
	settings_free(&s);
	if (n > 0)
		return code;
	worse = check_milter(a->config ? a->config : CMD_CONFIG_FILE,
			     a->postfix_config, alone);
	return worse > code ? worse : code;
}

static struct arguments given;
const struct command cmd_check = {
	.name = "check",
	.brief = "try what an import and the milter need",
	.synopsis = "[options] [SOURCE]",
	.about = "Tries what an import from SOURCE (s3://BUCKET/PREFIX/ or "
		 "file:///DIRECTORY/)\nneeds, and changes nothing. Without "
		 "SOURCE: all sources of the configuration,\nand whether "
		 "Postfix asks the milter of it, and reaches it.",
	.rows = rows,
	.arguments = &given,
	.run = run_check,
};
