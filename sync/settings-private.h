/*
 * settings-private - what settings.c (file, command line, printing) and
 * settings-check.c (what the words mean) share.
 */
#ifndef FALLBACKMX_SETTINGS_PRIVATE_H
#define FALLBACKMX_SETTINGS_PRIVATE_H

#include "lib/base/config.h"
#include "settings.h"

/* Checks what the table cannot, makes paths clean, fills path and template. */
void settings_check(struct settings *s, struct config_mistakes *m);

/*
 * A file:// URL: its directory, clean; or NULL and *expected_r says what a URL
 * should be (also for s3://). The final slash is not asked for here.
 */
const char *settings_url_path(struct arena *a, const char *url,
			      const char **expected_r);

/* path without empty and "." segments and final slash; NULL when it has ".."
 * or does not begin with "/" or {home}. */
const char *settings_clean_path(struct arena *a, const char *path);

/* "name", or "uid:gid" in decimal; not root. */
bool settings_owner_ok(const char *owner);

/* inner is outer or lies below it; both clean. */
bool settings_path_inside(const char *inner, const char *outer);

#endif
