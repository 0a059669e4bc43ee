/*
 * settings-private - what settings.c (file, command line, printing),
 * settings-check.c (what the words mean), settings-url.c and settings-aws.c
 * share.
 */
#ifndef FALLBACKMX_SETTINGS_PRIVATE_H
#define FALLBACKMX_SETTINGS_PRIVATE_H

#include "lib/base/config.h"
#include "settings.h"

/* Checks what the table cannot, makes paths clean, fills path and template. */
void settings_check(struct settings *s, struct config_mistakes *m);

/*
 * Fills path (file://, clean), or bucket, prefix and the url with a final slash
 * (s3://), from src->url. -1: it is neither; *expected_r says what a URL should
 * be. The final slash of file:// is not asked for here.
 */
int settings_take_url(struct arena *a, struct source_settings *src,
		      const char **expected_r);

/* The object "aws" of a source that has none. */
struct aws_settings *settings_new_aws(struct arena *a);

/* -1 with ERR_STOP when a value of it can be none, or two contradict. */
int settings_check_aws(const struct aws_settings *aws, struct err *e);

/* path without empty and "." segments and final slash; NULL when it has ".."
 * or does not begin with "/" or {home}. */
const char *settings_clean_path(struct arena *a, const char *path);

/* "name", or "uid:gid" in decimal; not root. */
bool settings_owner_ok(const char *owner);

/* inner is outer or lies below it; both clean. */
bool settings_path_inside(const char *inner, const char *outer);

#endif
