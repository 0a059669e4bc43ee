/*
 * call - one system call of a stopped process: read it, change it.
 *
 * The process must be stopped at the call by PTRACE_SYSCALL; nothing here
 * waits or resumes. A process that has just been killed reads as CALL_NONE.
 */
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct call {
	long long nr;
	unsigned long long arg[6];
	int path_arg; /* -1: takes no path */
	char name[32];
};

struct altered_call {
	unsigned long long nr, value;
	int arg; /* that had the value; -1: none was changed */
	int number;
};

enum call_side { CALL_NONE, CALL_ENTRY, CALL_EXIT };

enum call_side call_read(pid_t pid, struct call *c_r);

/*
 * At the entry: let the call fail with the error number, or with number 0
 * move half of its length. close() does its work before it fails, as it does
 * in the kernel. False: this call has no length, or one below 2.
 */
bool call_alter(pid_t pid, const struct call *c, int number,
		struct altered_call *was_r);

/*
 * At the entry: a process that makes itself undumpable is left dumpable, or a
 * tracer that is not root could not read its paths any more. False: it is
 * another call.
 */
bool
call_keep_readable(pid_t pid, const struct call *c, struct altered_call *was_r);

/* At the exit of an altered call: set the result, put the registers back. */
void call_restore(pid_t pid, const struct altered_call *was);

/*
 * Text at an address of the process, made printable, cut to the size; empty
 * when the process may not be read (undumpable and we are not root).
 */
void call_text(pid_t pid, unsigned long long at, char *buf, size_t size);

/* Its path, or the file behind its first descriptor, in the same way. */
void call_detail(pid_t pid, const struct call *c, char *buf, size_t size);

#endif
