/*
 * settings-private - what settings.c (tables, file, printing) and
 * settings-check.c (what the words mean) share.
 */
#ifndef FALLBACKMX_MILTER_SETTINGS_PRIVATE_H
#define FALLBACKMX_MILTER_SETTINGS_PRIVATE_H

#include "lib/base/config.h"
#include "settings.h"

/* Checks what the tables cannot, and fills what is made of texts: ranges,
 * addresses, the defaults of lists. */
void filter_settings_check(struct filter_settings *s,
			   struct config_mistakes *m);

#endif
