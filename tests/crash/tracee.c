#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracee.h"

#define MAX_ROLES 256
#define MAX_TRACEES 256

static struct role roles[MAX_ROLES];
static struct tracee tracees[MAX_TRACEES];
static size_t role_count, tracee_count, child_count;

struct role *
role_get(const char *name)
{
	for (size_t i = 0; i < role_count; i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	if (role_count == MAX_ROLES) {
		fputs("tracer: cannot count one more role: too many\n", stderr);
		exit(2);
	}
	snprintf(roles[role_count].name, sizeof(roles[0].name), "%s", name);
	return &roles[role_count++];
}

const char *
role_name(const struct tracee *t)
{
	return t->role == NULL ? "unknown" : t->role->name;
}

struct tracee *
tracee_get(pid_t pid)
{
	for (size_t i = 0; i < tracee_count; i++)
		if (tracees[i].pid == pid)
			return &tracees[i];
	if (tracee_count == MAX_TRACEES) {
		fputs("tracer: cannot follow a process: too many\n", stderr);
		exit(2);
	}
	tracees[tracee_count] = (struct tracee){ .pid = pid };
	return &tracees[tracee_count++];
}

struct tracee *
tracee_at(size_t i)
{
	return i < tracee_count ? &tracees[i] : NULL;
}

/* The child of a vfork ran a program or ended: its parent goes on. */
static void
release_parent(pid_t child)
{
	for (size_t i = 0; i < tracee_count; i++)
		if (tracees[i].vfork_child == child)
			tracees[i].vfork_child = 0;
}

void
tracee_drop(struct tracee *t)
{
	release_parent(t->pid);
	*t = tracees[--tracee_count];
}

void
tracee_child(struct tracee *t, pid_t child, bool is_thread)
{
	struct tracee *c = tracee_get(child);
	char name[32];

	if (is_thread) {
		c->role = t->role;
		return;
	}
	snprintf(name, sizeof(name), "child%zu", ++child_count);
	c->role = role_get(name);
}

void
tracee_program(struct tracee *t, const char *base)
{
	char path[64], args[PATH_MAX], name[PATH_MAX + 16];
	const char *dir, *program;
	size_t len;
	FILE *f;

	release_parent(t->pid);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)t->pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	len = fread(args, 1, sizeof(args) - 1, f);
	fclose(f);
	args[len] = '\0';
	program = strrchr(args, '/');
	program = program == NULL ? args : program + 1;
	if (strcmp(program, "fallbackmx-deliver") != 0)
		return;
	dir = strlen(args) + 1 < len ? args + strlen(args) + 1 : "?";
	if (strncmp(dir, base, strlen(base)) == 0)
		dir += strlen(base);
	snprintf(name, sizeof(name), "deliver:%s", dir);
	t->role = role_get(name);
}
