/*
 * log - what the program says: problems to stderr, one line per mail to
 * syslog (facility mail). One line each, "fallbackmx: " in front, no control
 * bytes: callers pass foreign text through text_quote() or text_show().
 */
#ifndef FALLBACKMX_LOG_H
#define FALLBACKMX_LOG_H

/* Opens syslog; with verbose, log_info lines go to stderr too. */
void log_open(const char *name, int verbose);

/* Something is wrong and the admin should know: stderr and syslog. */
void log_problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Part of the record: syslog only; stderr when verbose. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Stderr only, whatever the verbosity. */
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
