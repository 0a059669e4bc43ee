/*
 * check - tries what an import of each source needs, and changes nothing. As
 * root it does so as the engine's user: what counts is what that one may do.
 */
#ifndef FALLBACKMX_CHECK_H
#define FALLBACKMX_CHECK_H

#include "settings.h"

enum check_level { CHECK_OK, CHECK_WARNING, CHECK_FAILED };

/* Texts are for showing as they are, and valid during the call. */
struct check_result {
	enum check_level level;
	const char *name;	/* "list" */
	const char *what;
	const char *remedy;	/* what to do; NULL with CHECK_OK */
	int code;		/* EX_CONFIG, EX_NOPERM, EX_TEMPFAIL; 0 unless
				 * CHECK_FAILED */
};

struct check_options {
	/* What settings_use_aws() was given: options are told from the
	 * configuration by it. */
	const struct aws_settings *given;
	/* Called for each result in turn; as root in another process, which
	 * writes out stdout when it ends. */
	void (*result)(const struct check_result *r);
};

/* s after settings_open_aws(). Returns the worst code of all results, or 0. */
int check_run(const struct settings *s, const struct check_options *o);

#endif
