/*
 * cmd - one command of fallbackmx: one file cli/cmd-NAME.c, one struct in it,
 * one row in main.c.
 */
#ifndef FALLBACKMX_CMD_H
#define FALLBACKMX_CMD_H

#include "lib/aws/aws-config.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/option.h"

struct settings;

struct command {
	const char *name;	/* all words of it: "archive list" */
	const char *brief;	/* one line for the help of what is before it */
	const char *synopsis;	/* what follows the name */
	const char *about;	/* for its own help */
	const struct option_row *rows;
	void *arguments;	/* the struct that the rows fill */
	const struct command *const *words;	/* one must follow; NULL: run */
	/* n words that are no options. Returns the exit code, then whatever is
	 * to be said has been said, or -1 and e. What it prints is flushed by
	 * main(). With words: run when none follows; NULL: that is wrong. */
	int (*run)(void *arguments, int n, char **words, struct err *e);
	const char *instead;	/* it takes no words, but this; NULL: it does */
};

extern const struct command cmd_archive_cat, cmd_archive_erase,
	cmd_archive_export, cmd_archive_list, cmd_archive_prune,
	cmd_archive_show, cmd_archive_stats, cmd_archive_verify, cmd_check,
	cmd_config_check, cmd_config_show, cmd_policy_check, cmd_policy_test,
	cmd_reload, cmd_status, cmd_sync;

#define CMD_CONFIG_FILE SYSCONFDIR "/fallbackmx.json"

/* Runs the command, or the one that argv[1] names. argv[0] is its name. Returns
 * the exit code; whatever is to be said has been said. */
int cmd_run(const struct command *c, int argc, char **argv);

/* ERR_STOP (EX_USAGE): which words may follow that of the command that runs;
 * said: what did, or NULL. */
int cmd_expect_word(const struct command *const *words, const char *said,
		    struct err *e);

/* Logs e and returns its exit code; usage errors point at --help of the command
 * that runs. */
int cmd_fail(const struct err *e);

/* For work that goes on after a failure: cmd_fail() if ret is not 0. Returns
 * the exit code of the first failure; code is what it was so far. */
int cmd_go_on(int code, int ret, const struct err *e);

#define CMD_MISTAKES_MAX ((size_t)262144)	/* bytes of their lines */

/* Logs each line. */
void cmd_say_lines(const struct buf *lines);

/* settings_read() that logs each mistake. file may be NULL: the default. */
int cmd_read_settings(struct settings *s, const char *file, struct err *e);

/* After a failure to read file: says more when that is the default (NULL) and
 * there is none. */
void cmd_explain_missing(const char *file, struct err *e);

/* ERR_STOP (EX_CONFIG) when the configuration that was read names no source:
 * it is the milter's alone. */
int cmd_need_sources(const struct settings *s, const char *file,
		     const char *command, struct err *e);

/* Options of how S3 is reached, as rows of a table; field is the struct
 * aws_settings in the struct type. */
#define CMD_AWS_ROWS(type, field)                                              \
	{ .name = "region", .argument = "REGION", .kind = OPTION_STRING,       \
	  .offset = offsetof(type, field.region),                              \
	  .help = "of S3, as eu-west-1" },                                     \
	{ .name = "profile", .argument = "NAME", .kind = OPTION_STRING,        \
	  .offset = offsetof(type, field.profile),                             \
	  .help = "of AWS's shared files, for keys and more" },                \
	{ .name = "endpoint-url", .argument = "URL", .kind = OPTION_STRING,    \
	  .offset = offsetof(type, field.endpoint_url),                        \
	  .help = "another server than AWS's" },                               \
	{ .name = "ca-bundle", .argument = "FILE", .kind = OPTION_STRING,      \
	  .offset = offsetof(type, field.ca_bundle),                           \
	  .help = "certificates to trust instead of the system's" }

/* settings_use_aws() with the options, whose ca_bundle may be relative: it is
 * absolute then. */
int cmd_use_aws(struct settings *s, struct aws_settings *given, struct err *e);

#endif
