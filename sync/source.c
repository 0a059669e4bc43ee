#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "source-dir.h"

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
source_name(const struct source_settings *s, char name[SOURCE_NAME_MAX],
	    struct err *e)
{
	char path[PATH_MAX];

	if (s->bucket != NULL) {
		snprintf(name, SOURCE_NAME_MAX, "s3://%s/%s", s->bucket,
			 s->prefix);
		return 0;
	}
	if (realpath(s->path, path) == NULL)
		return cannot_open(s, e);
	snprintf(name, SOURCE_NAME_MAX, "file://%s/",
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
		return err_stop(e, EX_CONFIG, "cannot open the source %s: this "
				"build cannot read s3 sources yet",
				settings->url);
	if (source_dir_open(s) == 0)
		return 0;
	return cannot_open(settings, e);
}

void
source_close(struct source *s)
{
	s->kind->close(s);
}
