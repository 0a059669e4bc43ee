/*
 * ask - the first words of the milter protocol, as Postfix says them: is
 * somebody there who speaks it? Nothing of a session follows.
 */
#ifndef FALLBACKMX_POSTFIX_ASK_H
#define FALLBACKMX_POSTFIX_ASK_H

#include <stdint.h>

#include "lib/base/err.h"

struct ask_answer {
	uint32_t version;	/* of the protocol that was agreed on */
	uint32_t actions;	/* SMFIF_*: what it may change */
	uint32_t steps;		/* SMFIP_* */
	int error;		/* errno of a connect(2) that failed; 0 */
};

/* endpoint: "unix:" and an absolute path, or "inet:HOST:PORT". ms bounds each
 * of connecting and answering. -1 with ERR_TEMP: nobody there, may not
 * connect, no answer, or an answer that is none. */
int ask_milter(const char *endpoint, int ms, struct ask_answer *a,
	       struct err *e);

#endif
