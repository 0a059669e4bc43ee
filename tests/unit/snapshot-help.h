/*
 * snapshot-help - configurations of the milter, and documents that they name.
 * In texts "@/" stands for the directory that all of them are in.
 */
#ifndef FALLBACKMX_SNAPSHOT_HELP_H
#define FALLBACKMX_SNAPSHOT_HELP_H

#include "lib/base/buf.h"
#include "scratch.h"

/* Inside of the object "milter": one ingress point; with a rule set;
 * with one in shadow mode. */
#define POINTS(x) "\"ingress_points\": [{\"name\": \"mx1\", " x "}]"
#define RULES(x) POINTS("\"rule_set\": \"@/" x "\"")
#define SHADOW(x) POINTS("\"rule_set\": \"@/" x "\", \"rule_set_mode\": "     \
			 "\"shadow\"")

/* Appends text with dir for each "@". */
void document_expand(struct buf *out, const char *text, const char *dir);

/* The file name in dir; its path is good as long as scratch_path()'s. */
const char *document_put(const char *dir, const char *name, const char *from);

/* The documents: traffic, plain, outside, asks, vip.csv, bad.csv, relay,
 * broken, tag. */
void documents_put(const char *dir);

#endif
