/*
 * cmd - one command of fallbackmx: one file cli/cmd-NAME.c, one struct in it,
 * one row in the table of main.c.
 */
#ifndef FALLBACKMX_CMD_H
#define FALLBACKMX_CMD_H

#include "lib/base/err.h"

struct settings;

struct command {
	const char *name;
	const char *about;	/* one line for `fallbackmx --help` */
	/* argv[0] is the command's name. Returns the exit code; whatever is to
	 * be said has been said. What it prints is flushed by main(). */
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_sync, cmd_config;

#define CMD_CONFIG_FILE SYSCONFDIR "/fallbackmx.json"

/* Logs e and returns its exit code; usage errors point at --help of command,
 * "" for the program itself. */
int cmd_fail(const struct err *e, const char *command);

/* settings_read() that logs each mistake. file may be NULL: the default. */
int cmd_read_settings(struct settings *s, const char *file, struct err *e);

#endif
