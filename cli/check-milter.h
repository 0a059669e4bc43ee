/*
 * check-milter - the milter's part of `fallbackmx check`: its half of the
 * configuration, and how Postfix asks it.
 */
#ifndef FALLBACKMX_CHECK_MILTER_H
#define FALLBACKMX_CHECK_MILTER_H

#include <stdbool.h>

/* postfix_dir: the directory of main.cf; NULL for Postfix's own. alone:
 * there are no sources either, so that no milter is a mistake. Prints a line
 * for each result, as cmd-check.c does; returns the worst exit code. */
int check_milter(const char *file, const char *postfix_dir, bool alone);

#endif
