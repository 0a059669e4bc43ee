/*
 * policy-file - a policy document that a command was given: read from its file
 * once, with every mistake said on stderr.
 */
#ifndef FALLBACKMX_POLICY_FILE_H
#define FALLBACKMX_POLICY_FILE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/option.h"
#include "policy/verdict.h"

struct policy_file {
	const char *file;	/* "-": standard input */
	const char *name;	/* what conditions call an address list by;
				 * NULL: what it says itself */
	enum policy_kind kind;	/* what is expected; once added, what it is */
	bool aws;		/* refuse extensions */
	struct buf text;	/* private */
};

/* Reads the file. Fails as input_read(). */
int policy_file_read(struct policy_file *d, struct err *e);

/* Adds what was read to p. Fails with ERR_STOP (EX_CONFIG) when it has
 * mistakes, which have been said; then nothing of it is in p. */
int policy_file_add(struct policy *p, struct policy_file *d, struct err *e);

/* Frees what was read; once more does no harm. */
void policy_file_free(struct policy_file *d);

/* All three at once: the document is needed only here. */
int policy_file_load(struct policy *p, const char *file, enum policy_kind kind,
		     const char *name, struct err *e);

/* Reads and adds address lists, arguments NAME=FILE of --address-list. */
int policy_file_add_lists(struct policy *p, const struct option_list *lists,
			  struct err *e);

/* How many of these lists are read from standard input. */
size_t policy_file_count_standard(const struct option_list *lists);

/* Says on stderr what p names and has not got; file: where it is named. */
void policy_file_warn(const struct policy *p, const char *file);

/* The same of what conditions cannot know ... */
void policy_file_warn_facts(const struct policy *p);

/* ... and of where v's actions go to, unless it is in said already. */
void policy_file_warn_targets(const struct policy *p, const struct verdict *v,
			      struct buf *said);

#endif
