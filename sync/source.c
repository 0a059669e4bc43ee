#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "source-dir.h"
#include "source-s3.h"

static int
cannot_open(const struct source_settings *s, struct err *e)
{
	int code = errno == EACCES ? EX_NOPERM : EX_CONFIG;

	err_errno(e, "cannot open the source %s as uid %lu", s->path,
		  (unsigned long)geteuid());
	e->kind = ERR_STOP;
	e->code = code;
	return -1;
}

int
source_name(const struct source_settings *s, struct source_name *n,
	    struct err *e)
{
	char path[PATH_MAX];

	n->place[0] = '\0';
	if (s->bucket != NULL)
		return source_s3_name(s, n, e);
	if (realpath(s->path, path) == NULL)
		return cannot_open(s, e);
	snprintf(n->url, sizeof(n->url), "file://%s/",
		 strcmp(path, "/") ? path : "");
	return 0;
}

int
source_open(struct source *s, const struct source_settings *settings,
	    const struct source_listener *listener, const char *spool_dir,
	    struct err *e)
{
	*s = (struct source){
		.settings = settings, .listener = listener,
		.spool_dir = spool_dir, .complete = true,
	};
	if (settings->bucket != NULL)
		return source_s3_open(s, e);
	if (source_dir_open(s) == 0)
		return 0;
	return cannot_open(settings, e);
}

void
source_close(struct source *s)
{
	s->kind->close(s);
}
