/*
 * packet - one message over a SOCK_SEQPACKET socket, with at most one file
 * descriptor. Messages keep their borders and their order.
 */
#ifndef FALLBACKMX_PACKET_H
#define FALLBACKMX_PACKET_H

#include <stddef.h>
#include <sys/types.h>

#define PACKET_MAX ((size_t)65536)	/* bytes of one message */

/* A connected pair, both ends close-on-exec. */
int packet_pair(int pair_r[2]);

/* Sends n bytes, and fd unless it is -1 (which stays the caller's).
 * 0, or -1 with errno; a closed peer is EPIPE, never a signal. */
int packet_send(int sock, const void *data, size_t n, int fd);

/* The same with a second part behind the first. */
int packet_send2(int sock, const void *data, size_t n, const void *tail,
		 size_t tail_n, int fd);

/*
 * Receives one message into data (size bytes). *fd_r is a descriptor that came
 * along (now the caller's, close-on-exec) or -1; with fd_r NULL one is closed.
 * Returns the length, 0 when the peer has closed, -1 with errno; a message
 * that did not fit is EMSGSIZE. timeout_ms < 0 waits for ever, a passed
 * timeout is ETIMEDOUT.
 */
ssize_t packet_receive(int sock, void *data, size_t size, int *fd_r,
		       int timeout_ms);

#endif
