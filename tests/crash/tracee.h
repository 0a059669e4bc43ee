/*
 * tracee - the processes that the tracer follows, and the roles they play.
 *
 * A pointer to a tracee holds until the next tracee_drop; one to a role holds
 * for ever. Full tables end the program: an untold process would be a hole.
 */
#ifndef TRACEE_H
#define TRACEE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "call.h"

#define ROLE_CALLS 1024

struct role {
	char name[PATH_MAX + 16];
	unsigned total, of[ROLE_CALLS]; /* calls seen, and per number */
};

struct tracee {
	pid_t pid;
	pid_t vfork_child; /* it waits for this one; 0: it does not */
	struct role *role; /* NULL: its fork was not reported yet */
	bool stopped;	   /* for the caller */
	bool altered;	   /* inside a call that "was" describes */
	struct altered_call was;
};

struct role *role_get(const char *name);

/* The name of the role, "unknown" without one. */
const char *role_name(const struct tracee *t);

/* Found or made. */
struct tracee *tracee_get(pid_t pid);

/* By position, 0 on; NULL behind the last. */
struct tracee *tracee_at(size_t i);

void tracee_drop(struct tracee *t);

/* A fork ("childN") or a thread (shares the role) of t was reported. */
void tracee_child(struct tracee *t, pid_t child, bool is_thread);

/*
 * t has run a program. A deliverer is named by its Maildir, without base in
 * front: the order in which deliverers start may vary.
 */
void tracee_program(struct tracee *t, const char *base);

#endif
