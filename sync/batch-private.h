/* batch-private - shared by the batch's files only. */
#ifndef FALLBACKMX_BATCH_PRIVATE_H
#define FALLBACKMX_BATCH_PRIVATE_H

#include "engine-private.h"

/* The mailbox fails, and with it all of its copies in this batch. */
void batch_box_failed(struct engine *g, struct mailbox *m,
		      const struct err *e);

/* Takes answers until no more than these are due. */
void batch_collect(struct engine *g, size_t copies, uint64_t bytes);
/* All that are due from m: before any other question. */
void batch_answers(struct engine *g, struct mailbox *m);

/* After DONE: removes what may go, counts every job. ERR_STOP only. */
int batch_finish(struct engine *g, struct err *e);

#endif
