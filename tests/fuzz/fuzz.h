/*
 * fuzz - what every target has. A target is one file fuzz-NAME.c with
 * LLVMFuzzerTestOneInput(), a folder corpus/NAME and, where words matter, a
 * dictionary NAME.dict. libFuzzer calls it (--enable-fuzzing); else replay.c
 * does, with the corpus.
 */
#ifndef FALLBACKMX_FUZZ_H
#define FALLBACKMX_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the code under test; breaking it is a crash. */
#define PROMISE(x)                                                             \
	do {                                                                   \
		if (!(x))                                                      \
			abort();                                               \
	} while (0)

#endif
