/*
 * scratch - what tests of files and processes need: a directory that goes away
 * again, and work done as a plain user even when the tests run as root.
 */
#ifndef FALLBACKMX_SCRATCH_H
#define FALLBACKMX_SCRATCH_H

#include <sys/types.h>

#include "unit.h"

#define SCRATCH_UID 65534	/* nobody: the plain user when we are root */

/*
 * A test that is given an empty directory of its own and runs in a process of
 * its own, which is never root's. prepare, if there is one, runs before as
 * root; without root such a test is skipped.
 */
struct scratch_test {
	void (*work)(const char *dir);
	void (*prepare)(const char *dir);
};

void scratch_run(void **state);

/* Ends the test as skipped unless root runs it. */
void scratch_need_root(void);

#define plain_unit_test(f)                                                     \
	{ #f, scratch_run, NULL, NULL, &(struct scratch_test){ f, NULL } }
#define root_unit_test(f, prepare)                                             \
	{ #f, scratch_run, NULL, NULL, &(struct scratch_test){ f, prepare } }

/* A new empty directory, and its end with all that is in it. */
char *scratch_new(void);
void scratch_free(char *dir);

/* A path from parts like printf; the last eight stay valid. */
const char *scratch_path(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Writes a file; parents exist. Reads one; -1 when it cannot be read. */
void scratch_write(const char *path, const void *data, size_t n);
void scratch_text(const char *path, const char *text);
ssize_t scratch_read(const char *path, void *data, size_t size);
bool scratch_exists(const char *path);
void scratch_copy(const char *from, const char *to, mode_t mode);

/* Entries of a directory, "." and ".." apart; -1 without one. */
int scratch_entries(const char *dir);

/* Sets mtime. */
void scratch_age(const char *path, int64_t seconds, long nanoseconds);

/* Descriptors that this process has open. */
int scratch_descriptors(void);

#endif
