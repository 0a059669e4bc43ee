/*
 * input - a whole file that the user named, read up to a bound.
 */
#ifndef FALLBACKMX_INPUT_H
#define FALLBACKMX_INPUT_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/*
 * Reads the file, or standard input for "-", into text, which buf_free()
 * releases whatever is returned. text->data is never NULL on success.
 * Fails with ERR_STOP: EX_NOINPUT (it is not there or cannot be opened),
 * EX_DATAERR (more than max bytes), EX_IOERR.
 */
int input_read(const char *file, size_t max, struct buf *text, struct err *e);

/* How many of them are standard input: it can be read only once. */
size_t input_count_standard(char *const *files, size_t n);

/* The name to show, text_show()'s: standard input has one too. */
const char *input_name(const char *file);

#endif
