/*
 * ledger-help - a ledger in a scratch directory with objects in it.
 */
#ifndef FALLBACKMX_LEDGER_HELP_H
#define FALLBACKMX_LEDGER_HELP_H

#include "scratch.h"
#include "sync/ledger.h"

#define SOURCE 1	/* of all objects */

/* A ledger of DIR that is open for writing, with source and mailboxes 1-3. */
struct ledger *opened(const char *dir);
void begin(struct ledger *l);
void commit(struct ledger *l);

/* The object with that number; it arrived in that second. */
struct ledger_object object(int number);

/* The same in the ledger, the mail with an SES id of its own. */
int64_t added(struct ledger *l, int number);

void set(struct ledger *l, int64_t id, int64_t box, enum row_state s);
enum row_state state_of(struct ledger *l, int64_t id, int64_t box);

#endif
