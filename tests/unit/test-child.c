#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/packet.h"
#include "scratch.h"

/* What a started program finds; this program starts itself to see it. */
struct finding {
	uint64_t descriptors;	/* a bit for each one open */
	int environment, arguments, no_new_privs, groups_n;
	uid_t uid[3];
	gid_t gid[3], groups[8];
	char name[64], argument[64], out[64], err[64];
};

static void
look(struct finding *f, char **argv, char **envp)
{
	for (int i = 0; i < 64; i++)
		if (fcntl(i, F_GETFD) >= 0)
			f->descriptors |= (uint64_t)1 << i;
	while (envp[f->environment] != NULL)
		f->environment++;
	while (argv[f->arguments] != NULL)
		f->arguments++;
	f->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	getresuid(&f->uid[0], &f->uid[1], &f->uid[2]);
	getresgid(&f->gid[0], &f->gid[1], &f->gid[2]);
	f->groups_n = getgroups(8, f->groups);
	snprintf(f->name, sizeof(f->name), "%s", argv[0]);
	snprintf(f->argument, sizeof(f->argument), "%s", argv[1]);
	if (readlink("/proc/self/fd/1", f->out, sizeof(f->out) - 1) < 0 ||
	    readlink("/proc/self/fd/2", f->err, sizeof(f->err) - 1) < 0)
		f->arguments = -1;
}

static struct identity
self(void)
{
	return (struct identity){
		.name = "", .uid = getuid(), .gid = getgid(),
	};
}

/* Starts a copy of this program in dir as who and hears what it found. */
static void
start_and_hear(const char *dir, const struct identity *who, struct finding *f)
{
	const char *program = scratch_path("%s/probe", dir);
	struct err e = { .text = "" };
	int pair[2], status;
	pid_t pid = -1;

	assert_int_equal(packet_pair(pair), 0);
	assert_int_equal(child_start(program, "--look", pair[1], who, &pid,
				     &e), 0);
	assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
	close(pair[1]);
	assert_int_equal(packet_receive(pair[0], f, sizeof(*f), NULL, 10000),
			 sizeof(*f));
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
put_probe(const char *dir)
{
	scratch_copy("/proc/self/exe", scratch_path("%s/probe", dir), 0755);
}

static void
has_nothing_but_its_socket(const char *dir)
{
	const struct identity who = self();
	struct finding f = { .arguments = 0 };

	put_probe(dir);
	/* Things that must not be passed on. */
	assert_true(dup2(STDERR_FILENO, 33) == 33);
	setenv("LD_PRELOAD_NOT", "x", 1);
	start_and_hear(dir, &who, &f);
	assert_int_equal(f.descriptors, 7);
	assert_int_equal(f.environment, 0);
	assert_int_equal(f.arguments, 2);
	assert_string_equal(f.name, "probe");
	assert_string_equal(f.argument, "--look");
	assert_string_equal(f.out, "/dev/null");
	assert_string_equal(f.err, "/dev/null");
	assert_int_equal(f.no_new_privs, 1);
	assert_int_equal(f.uid[0], getuid());
}

static void
root_starts_it_as_the_user(void **state)
{
	const struct identity who = {
		.name = "", .uid = SCRATCH_UID, .gid = SCRATCH_UID - 1,
	};
	struct finding f = { .arguments = 0 };
	char *dir;

	(void)state;
	scratch_need_root();
	dir = scratch_new();
	assert_int_equal(chmod(dir, 0755), 0);
	put_probe(dir);
	start_and_hear(dir, &who, &f);
	scratch_free(dir);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(f.uid[i], who.uid);
		assert_int_equal(f.gid[i], who.gid);
	}
	assert_in_range(f.groups_n, 0, 1);
	if (f.groups_n == 1)
		assert_int_equal(f.groups[0], who.gid);
	assert_int_equal(f.no_new_privs, 1);
	assert_int_equal(f.descriptors, 7);
}

/* Starting must fail, say why in words with these, and leave no zombie. */
static void
does_not_start(const char *path, int socket, const struct identity *who,
	       const char *why)
{
	struct err e = { .text = "" };
	pid_t pid = -1;

	assert_int_equal(child_start(path, "x", socket, who, &pid, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, why));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
a_failed_exec_is_told(const char *dir)
{
	const struct identity who = self();
	const char *text = scratch_path("%s/text", dir);
	int pair[2];

	assert_int_equal(packet_pair(pair), 0);
	does_not_start(scratch_path("%s/missing", dir), pair[1], &who,
		       "/missing: No such file or directory");
	scratch_text(text, "no program");
	does_not_start(text, pair[1], &who, "/text: Permission denied");
	assert_int_equal(chmod(text, 0755), 0);
	does_not_start(text, pair[1], &who, "/text: Exec format error");
	assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
}

static void
root_is_refused(const char *dir)
{
	const struct identity root = { .name = "root", .uid = 0, .gid = 0 };
	const struct identity number = { .name = "", .uid = 0, .gid = 65534 };
	int pair[2];

	put_probe(dir);
	assert_int_equal(packet_pair(pair), 0);
	does_not_start(scratch_path("%s/probe", dir), pair[1], &root,
		       "refusing to work as root");
	does_not_start(scratch_path("%s/probe", dir), pair[1], &number,
		       "refusing to work as root");
}

static void
another_user_needs_root(const char *dir)
{
	const struct identity other = {
		.name = "", .uid = getuid() + 1, .gid = getgid(),
	};
	int pair[2];

	put_probe(dir);
	assert_int_equal(packet_pair(pair), 0);
	does_not_start(scratch_path("%s/probe", dir), pair[1], &other,
		       "cannot become uid");
}

static void
a_socket_that_is_none_is_told(const char *dir)
{
	const struct identity who = self();

	put_probe(dir);
	does_not_start(scratch_path("%s/probe", dir), -1, &who,
		       "cannot arrange descriptors");
}

/* Out of descriptors, the child must tell it to nobody but its parent: what
 * is open as 3 may be anybody's file, the ledger's for one. */
static void
a_lack_of_descriptors_is_told_to_the_parent_only(const char *dir)
{
	const struct rlimit few = { 10, 10 };
	const struct identity who = self();
	struct err e = { .text = "" };
	char got[16] = "";
	int pair[2], fd, r;
	pid_t pid = -1;

	put_probe(dir);
	scratch_text(scratch_path("%s/precious", dir), "precious");
	fd = open(scratch_path("%s/precious", dir), O_RDWR);
	assert_int_equal(dup2(fd, 3), 3);
	for (int i = 4; i < 10; i++)
		close(i);
	assert_int_equal(packet_pair(pair), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = child_start(scratch_path("%s/probe", dir), "--look", pair[1], &who,
			&pid, &e);
	assert_int_equal(scratch_read(scratch_path("%s/precious", dir), got,
				      sizeof(got)), 8);
	assert_memory_equal(got, "precious", 8);
	assert_int_equal(r, -1);
	assert_int_equal(e.kind, ERR_TEMP);
}

static void
becomes_itself(const char *dir)
{
	const struct identity who = self();
	struct err e;

	(void)dir;
	assert_int_equal(child_become(&who, &e), 0);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

static void
becomes_neither_root_nor_another(const char *dir)
{
	const struct identity root = { .name = "", .uid = 0, .gid = 0 };
	const struct identity other = {
		.name = "", .uid = getuid() + 1, .gid = getgid(),
	};
	struct err e;

	(void)dir;
	assert_int_equal(child_become(&root, &e), -1);
	assert_string_equal(e.text, "refusing to work as root");
	assert_int_equal(child_become(&other, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "cannot become uid"));
}

/* Exit status of a process that was root and became nobody. */
static int
give_up_root(void)
{
	const struct identity who = {
		.name = "", .uid = SCRATCH_UID, .gid = SCRATCH_UID,
	};
	struct err e;
	gid_t groups[8];

	if (child_become(&who, &e) < 0)
		return 1;
	if (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0)
		return 2;
	if (setgid(0) == 0 || setgroups(0, NULL) == 0)
		return 3;
	if (getgroups(8, groups) > 1 || getegid() != SCRATCH_UID)
		return 4;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

static void
root_does_not_come_back(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	scratch_need_root();
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(give_up_root());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
waits_for_children_that_end(const char *dir)
{
	(void)dir;
	child_reap(10000);	/* there is none */
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			usleep(2000 * (unsigned)i);
			_exit(i);
		}
		assert_true(pid > 0);
	}
	child_reap(60000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
does_not_wait_for_ever(const char *dir)
{
	pid_t pid = fork();

	(void)dir;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	child_reap(20);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int
main(int argc, char **argv, char **envp)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(has_nothing_but_its_socket),
		cmocka_unit_test(root_starts_it_as_the_user),
		plain_unit_test(a_failed_exec_is_told),
		plain_unit_test(root_is_refused),
		plain_unit_test(another_user_needs_root),
		plain_unit_test(a_socket_that_is_none_is_told),
		plain_unit_test(
			a_lack_of_descriptors_is_told_to_the_parent_only),
		plain_unit_test(becomes_itself),
		plain_unit_test(becomes_neither_root_nor_another),
		cmocka_unit_test(root_does_not_come_back),
		plain_unit_test(waits_for_children_that_end),
		plain_unit_test(does_not_wait_for_ever),
	};

	if (argc == 2 && strcmp(argv[1], "--look") == 0) {
		struct finding f = { .arguments = 0 };

		look(&f, argv, envp);
		return packet_send(0, &f, sizeof(f), -1) < 0;
	}
	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
