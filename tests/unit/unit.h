/*
 * unit - what every unit test needs: cmocka, and the length of a table. A test
 * is a table of inputs and answers.
 */
#ifndef FALLBACKMX_UNIT_H
#define FALLBACKMX_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Says which row is under test: the last one before a failure is the one. */
#define ROW(name) printf("# %s\n", text_show(name))

#endif
