/*
 * cred-help - credentials in files, environment and profile of a test, none of
 * this machine's. Every secret of it contains HIDDEN.
 */
#ifndef FALLBACKMX_CRED_HELP_H
#define FALLBACKMX_CRED_HELP_H

#include "lib/aws/cred-private.h"
#include "scratch.h"

#define CRED_NOW 1795316400	/* 2026-11-22T03:00:00Z */

struct cred_scene {
	struct aws_settings own;
	const char *env[6];	/* "NAME=VALUE" */
	const char *config, *keys;	/* texts of the shared files, or NULL */
};

/* NULL with e when there can be no configuration. Free both with
 * cred_scene_end(). IMDS is off unless env says where it is. */
struct cred *cred_scene(const char *dir, const struct cred_scene *s,
			struct err *e);
void cred_scene_end(struct cred *c);

/* A file in dir that only we may read. */
const char *cred_put(const char *dir, const char *name, const char *text);

/* Fails if text is one that shows a secret. */
void cred_no_secret(const char *text);

#endif
