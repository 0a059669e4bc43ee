/*
 * cmd - one command of fallbackmx: one file cli/cmd-NAME.c, one struct in it,
 * one row in the table of main.c.
 */
#ifndef FALLBACKMX_CMD_H
#define FALLBACKMX_CMD_H

#include "lib/aws/aws-config.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct settings;

struct command {
	const char *name;
	const char *about;	/* one line for `fallbackmx --help` */
	/* argv[0] is the command's name. Returns the exit code; whatever is to
	 * be said has been said. What it prints is flushed by main(). */
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_sync, cmd_check, cmd_config, cmd_policy,
	cmd_status, cmd_reload, cmd_archive;

/* The words behind `fallbackmx policy`; argv[0] is theirs. */
int cmd_policy_check(int argc, char **argv);
int cmd_policy_test(int argc, char **argv);

/* The words behind `fallbackmx archive`. */
int cmd_archive_cat(int argc, char **argv);
int cmd_archive_erase(int argc, char **argv);
int cmd_archive_export(int argc, char **argv);
int cmd_archive_list(int argc, char **argv);
int cmd_archive_prune(int argc, char **argv);
int cmd_archive_show(int argc, char **argv);
int cmd_archive_stats(int argc, char **argv);
int cmd_archive_verify(int argc, char **argv);

#define CMD_CONFIG_FILE SYSCONFDIR "/fallbackmx.json"

/* Logs e and returns its exit code; usage errors point at --help of command,
 * "" for the program itself. */
int cmd_fail(const struct err *e, const char *command);

/* For work that goes on after a failure: cmd_fail() if ret is not 0. Returns
 * the exit code of the first failure; code is what it was so far. */
int cmd_go_on(int code, int ret, const struct err *e, const char *command);

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
