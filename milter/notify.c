#include <config.h>

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"

#define SOCKETS_MAX 16

static struct sockaddr_un manager; /* family 0: there is none */
static socklen_t manager_n;
static double watchdog; /* seconds; 0: none */

/* It may be meant for the process that started this one. */
static void
take_watchdog(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *us = getenv("WATCHDOG_USEC");

	if (us != NULL && (pid == NULL || atol(pid) == (long)getpid()))
		watchdog = strtod(us, NULL) / 1e6;
}

void
notify_take(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const size_t n = name ? strlen(name) : 0;

	if (n < 2 || n >= sizeof(manager.sun_path) ||
	    (*name != '/' && *name != '@'))
		return;
	manager.sun_family = AF_UNIX;
	take_watchdog();
	memcpy(manager.sun_path, name, n);
	if (*name == '@')
		manager.sun_path[0] = '\0';
	manager_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

double
notify_watchdog(void)
{
	return watchdog > 0 ? watchdog : 0;
}

int
notify_sockets(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int count;

	if (pid == NULL || n == NULL || atol(pid) != (long)getpid())
		return 0;
	count = atoi(n);
	return count > 0 && count <= SOCKETS_MAX ? count : 0;
}

void
notify_send(const char *state)
{
	int fd;

	if (manager.sun_family == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nobody could do anything about it. */
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		      (const struct sockaddr *)&manager, manager_n);
	close(fd);
}

void
notify_reloading(void)
{
	struct timespec t;
	char text[96];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
	notify_send(text);
}
