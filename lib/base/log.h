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

/* The same of a line that is ready, whatever its length. Threads may call it,
 * and log_problem and log_info too. */
void log_record(const char *line);

/* Stderr only, whatever the verbosity. */
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
