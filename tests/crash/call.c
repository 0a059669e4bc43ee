#include <config.h>

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "call.h"

static const struct {
	long nr;
	const char *name;
} names[] = {
#include "tests/crash/syscalls.inc"
};

static const struct {
	const char *name;
	int path, length;
} shapes[] = {
	{ "access", 0, -1 },
	{ "chdir", 0, -1 },
	{ "chmod", 0, -1 },
	{ "chown", 0, -1 },
	{ "copy_file_range", -1, 4 },
	{ "creat", 0, -1 },
	{ "execve", 0, -1 },
	{ "faccessat", 1, -1 },
	{ "faccessat2", 1, -1 },
	{ "fchmodat", 1, -1 },
	{ "fchownat", 1, -1 },
	{ "link", 0, -1 },
	{ "linkat", 1, -1 },
	{ "lstat", 0, -1 },
	{ "memfd_create", 0, -1 },
	{ "mkdir", 0, -1 },
	{ "mkdirat", 1, -1 },
	{ "newfstatat", 1, -1 },
	{ "open", 0, -1 },
	{ "openat", 1, -1 },
	{ "openat2", 1, -1 },
	{ "pread64", -1, 2 },
	{ "pwrite64", -1, 2 },
	{ "pwritev", -1, 2 },
	{ "read", -1, 2 },
	{ "readlink", 0, -1 },
	{ "readlinkat", 1, -1 },
	{ "recvfrom", -1, 2 },
	{ "rename", 0, -1 },
	{ "renameat", 1, -1 },
	{ "renameat2", 1, -1 },
	{ "rmdir", 0, -1 },
	{ "sendfile", -1, 3 },
	{ "sendto", -1, 2 },
	{ "splice", -1, 4 },
	{ "stat", 0, -1 },
	{ "statfs", 0, -1 },
	{ "statx", 1, -1 },
	{ "truncate", 0, -1 },
	{ "unlink", 0, -1 },
	{ "unlinkat", 1, -1 },
	{ "utimensat", 1, -1 },
	{ "write", -1, 2 },
	{ "writev", -1, 2 },
};

#if defined(__x86_64__)

struct regs {
	struct user_regs_struct r;
};

static unsigned long long *
regs_arg(struct regs *g, int n)
{
	unsigned long long *const args[] = { &g->r.rdi, &g->r.rsi, &g->r.rdx,
					     &g->r.r10, &g->r.r8,  &g->r.r9 };

	return args[n];
}

static void
regs_get(pid_t pid, struct regs *g_r)
{
	struct iovec v = { &g_r->r, sizeof(g_r->r) };

	ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
}

static void
regs_set(pid_t pid, struct regs *g, unsigned long long nr)
{
	struct iovec v = { &g->r, sizeof(g->r) };

	g->r.orig_rax = nr;
	ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v);
}

static void
regs_result(struct regs *g, int number)
{
	g->r.rax = (unsigned long long)-(long long)number;
}

#elif defined(__aarch64__)

struct regs {
	struct user_regs_struct r;
};

static unsigned long long *
regs_arg(struct regs *g, int n)
{
	return &g->r.regs[n];
}

static void
regs_get(pid_t pid, struct regs *g_r)
{
	struct iovec v = { &g_r->r, sizeof(g_r->r) };

	ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
}

static void
regs_set(pid_t pid, struct regs *g, unsigned long long nr)
{
	int number = (int)nr;
	struct iovec v = { &g->r, sizeof(g->r) };
	struct iovec w = { &number, sizeof(number) };

	ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v);
	ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &w);
}

static void
regs_result(struct regs *g, int number)
{
	g->r.regs[0] = (unsigned long long)-(long long)number;
}

#else
#error "the crash tests know the registers of x86_64 and aarch64 only"
#endif

static int
length_arg(const char *name)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].name, name) == 0)
			return shapes[i].length;
	return -1;
}

static void
describe(struct call *c)
{
	snprintf(c->name, sizeof(c->name), "sys_%lld", c->nr);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].nr == c->nr)
			snprintf(c->name, sizeof(c->name), "%s", names[i].name);
	c->path_arg = -1;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].name, c->name) == 0)
			c->path_arg = shapes[i].path;
}

enum call_side
call_read(pid_t pid, struct call *c_r)
{
	struct __ptrace_syscall_info info;
	void *const size = (void *)sizeof(info);

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, size, &info) <= 0)
		return CALL_NONE;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		return CALL_EXIT;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return CALL_NONE;
	c_r->nr = (long long)info.entry.nr;
	for (int i = 0; i < 6; i++)
		c_r->arg[i] = info.entry.args[i];
	describe(c_r);
	return CALL_ENTRY;
}

bool
call_alter(pid_t pid, const struct call *c, int number,
	   struct altered_call *was_r)
{
	struct regs g;

	*was_r = (struct altered_call){
		.nr = (unsigned long long)c->nr,
		.number = number,
		.arg = -1,
	};
	if (number != 0 && strcmp(c->name, "close") == 0)
		return true;
	regs_get(pid, &g);
	if (strcmp(c->name, "brk") == 0) {
		/* It knows no error: the old end of the heap tells. */
		was_r->number = 0;
		was_r->arg = 0;
		was_r->value = c->arg[0];
		*regs_arg(&g, 0) = 0;
		regs_set(pid, &g, was_r->nr);
		return true;
	}
	if (number != 0) {
		regs_set(pid, &g, (unsigned long long)-1);
		return true;
	}
	was_r->arg = length_arg(c->name);
	if (was_r->arg < 0)
		return false;
	was_r->value = *regs_arg(&g, was_r->arg);
	if (was_r->value < 2)
		return false;
	*regs_arg(&g, was_r->arg) = was_r->value / 2;
	regs_set(pid, &g, was_r->nr);
	return true;
}

bool
call_keep_readable(pid_t pid, const struct call *c, struct altered_call *was_r)
{
	struct regs g;

	if (strcmp(c->name, "prctl") != 0 || c->arg[0] != PR_SET_DUMPABLE)
		return false;
	was_r->nr = (unsigned long long)c->nr;
	was_r->number = 0;
	was_r->arg = 1;
	was_r->value = c->arg[1];
	regs_get(pid, &g);
	*regs_arg(&g, 1) = 1;
	regs_set(pid, &g, was_r->nr);
	return true;
}

void
call_restore(pid_t pid, const struct altered_call *was)
{
	struct regs g;

	regs_get(pid, &g);
	if (was->arg >= 0)
		*regs_arg(&g, was->arg) = was->value;
	if (was->number != 0)
		regs_result(&g, was->number);
	regs_set(pid, &g, was->nr);
}

void
call_text(pid_t pid, unsigned long long at, char *buf, size_t size)
{
	const size_t whole = size - 1;
	const size_t left = 4096 - (size_t)at % 4096;
	const size_t head = left < whole ? left : whole;
	struct iovec here = { buf, whole };
	struct iovec there[2] = {
		{ (void *)(uintptr_t)at, head },
		{ (void *)(uintptr_t)(at + head), whole - head },
	};
	const ssize_t n = process_vm_readv(pid, &here, 1, there, 2, 0);

	buf[n < 0 ? 0 : n] = '\0';
	for (char *p = buf; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

void
call_detail(pid_t pid, const struct call *c, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	buf[0] = '\0';
	if (c->path_arg >= 0) {
		call_text(pid, c->arg[c->path_arg], buf, size);
	} else if (c->arg[0] < 1024) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid,
			 (int)c->arg[0]);
		n = readlink(path, buf, size - 1);
		buf[n < 0 ? 0 : n] = '\0';
	}
}
