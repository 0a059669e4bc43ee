/* source-dir - what the files of the directory source share. */
#ifndef FALLBACKMX_SOURCE_DIR_H
#define FALLBACKMX_SOURCE_DIR_H

#include "source.h"

#define ASIDE ".fallbackmx-removing"
#define KEY_MAX 1024		/* bytes, as in S3 */

int source_dir_list(struct source *s, struct arena *a, struct object **list_r,
		    size_t *n_r, bool *complete_r, struct err *e);

#endif
