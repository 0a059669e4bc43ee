/*
 * maildir-help - a Maildir "m" in a scratch directory, and mail put into it.
 */
#ifndef FALLBACKMX_MAILDIR_HELP_H
#define FALLBACKMX_MAILDIR_HELP_H

#include "deliver/maildir.h"
#include "scratch.h"

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210"
#define NAME_A "1674821960.F" ID_A ".fallbackmx,S=1"
#define NAME_B "1674821961.F" ID_B ".fallbackmx,S=1"

/* Opens DIR/m for writing; it must work. */
void open_new(struct maildir *m, const char *dir);

/* Opening path for writing must fail, temporarily, and leave m closed. */
void refuses(const char *path, struct maildir *m, struct err *e);

/* A memory file with that content. */
int object(const void *data, size_t n);

/* Puts text under that name; it must work. */
void put(struct maildir *m, const char *name, const char *text);

/* Names that maildir_list gives; with name, those that are equal to it. */
int listed(struct maildir *m, bool staged, const char *name);

#endif
