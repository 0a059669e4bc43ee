/*
 * mailbox-help - an engine's mailbox whose deliverer is the test: its answers
 * wait in the socket before they are asked for.
 */
#ifndef FALLBACKMX_MAILBOX_HELP_H
#define FALLBACKMX_MAILBOX_HELP_H

#include "scratch.h"
#include "sync/mailbox.h"

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "11111111111111111111111111111111"
#define ID_C "fedcba9876543210fedcba9876543210"

extern struct mailbox box;	/* of /m/alice, open */
extern int theirs;		/* the deliverer's end */

/* Before and after each test; no descriptor may stay behind. */
int open_box(void **state);
int close_box(void **state);

/* An answer of n bytes; of as many as it says. */
void answer_with(const struct answer *w, size_t n, int fd);
void answer(const struct answer *w, int fd);

/* A memory file, sealed or not. */
int memory(const char *data, size_t n, bool sealed);

#endif
