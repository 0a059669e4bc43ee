/*
 * reload - a new configuration put in force while mail goes on, or refused:
 * said to the log and to whoever asked. For the main thread.
 */
#ifndef FALLBACKMX_MILTER_RELOAD_H
#define FALLBACKMX_MILTER_RELOAD_H

#include "lib/base/buf.h"

/*
 * Loads file. Returns EX_OK when it is in force; else the exit code of why not
 * (EX_CONFIG, EX_NOPERM, EX_IOERR), and the one before stays. lines gets the
 * mistakes or warnings and a last line of what became of it; all of them are
 * logged.
 */
int reload(const char *file, struct buf *lines);

#endif
