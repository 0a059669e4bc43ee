/*
 * source-help - a directory source in a scratch directory.
 */
#ifndef FALLBACKMX_SOURCE_HELP_H
#define FALLBACKMX_SOURCE_HELP_H

#include "scratch.h"
#include "sync/source.h"

#define ASIDE ".fallbackmx-removing"
#define LEFT "aside: "	/* in front of a key: what a killed run has left */

/* The source of one test; settle 0 until it is changed. */
extern struct source_settings settings;
extern struct source source;
extern const struct source_listener listener;

/* Opens DIR/src, made if it is missing. Readers change nothing. */
void open_source(const char *dir, bool read_only);
void close_source(void);

/* Keys of a new listing, each with a line end, LEFT in front of some; complete
 * or not is asserted. */
const char *keys(bool complete);

/* Fetches a key; with FETCH_OK the spool must hold text (NULL: anything). */
enum fetch fetch(const char *key, struct version *v_r);
enum fetch fetch_text(const char *key, const char *text, struct version *v_r);

enum removal remove_key(const char *key, const struct version *v);

/* DIR/src/NAME with that content. */
const char *file_of(const char *dir, const char *name);
void put_file(const char *dir, const char *name, const char *text);
void has_text(const char *dir, const char *name, const char *text);

/* What the last fetch_text or remove_key said when it failed. */
extern struct err said;

#endif
