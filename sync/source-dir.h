/* source-dir - what the files of the directory source share. */
#ifndef FALLBACKMX_SOURCE_DIR_H
#define FALLBACKMX_SOURCE_DIR_H

#include "source.h"

#define ASIDE ".fallbackmx-removing"
#define KEY_MAX 1024		/* bytes, as in S3 */

struct source_dir {
	int root;
	/* the listing, and how much of it was handed out */
	struct arena arena;
	struct object *list;
	size_t n, at;
	bool listed;
	/* the directory of the last removal */
	char *parent_key;
	int parent, aside;
};

/* -1 with errno. */
int source_dir_open(struct source *s);

/* Fills list and n, oldest first; s->complete is cleared when some part could
 * not be listed (already logged). ERR_STOP when nothing can. */
int source_dir_list(struct source *s, struct err *e);

#endif
