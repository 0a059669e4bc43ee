/*
 * settings - what the admin wants: state directory, sources, and for every
 * source the lines that say which mail goes into which Maildir.
 *
 * Made once, either from fallbackmx.json or from SOURCE MAILDIR on the command
 * line, then never changed. All memory belongs to the settings.
 */
#ifndef FALLBACKMX_SETTINGS_H
#define FALLBACKMX_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/aws/aws-config.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/config.h"
#include "lib/base/err.h"

#define SETTLE_DEFAULT 60	/* seconds, of a configured source */

/* Who says to whom a mail goes; one per source (docs/internals.md). */
enum authority {
	AUTHORITY_MAILBOX,	/* the key's prefix, or the command line */
	AUTHORITY_RECEIVED,	/* the for clause of SES's own Received line */
	AUTHORITY_NOTIFICATION,	/* known, but refused by settings_parse() */
};

/*
 * One line of "mailboxes": a pattern and a Maildir. {user} stands at most once
 * in each, as a whole path segment or local part; {home} only in front of
 * maildir. Without {home} maildir is absolute; never "." or ".." segments,
 * double or final slashes, so that equal texts are equal places.
 */
struct route {
	const char *prefix;	/* of keys, "" = all, else with a final slash;
				 * NULL: see recipient */
	const char *recipient;	/* address; NULL: see prefix */
	const char *maildir;
	const char *owner;	/* "name" or "uid:gid"; NULL: derived */
	bool template;		/* {user} stands in prefix or recipient */
};

struct source_settings {
	const char *url;	/* as written, with a final slash */
	const char *path;	/* of a file:// URL: decoded, absolute, clean as
				 * a maildir, no final slash; NULL for s3:// */
	const char *bucket;	/* of an s3:// URL; NULL for file:// */
	const char *prefix;	/* of the keys, "" or with a final slash */
	struct aws_settings *aws;	/* of an s3:// URL; never NULL there */
	struct aws_config *aws_config;	/* see settings_open_aws() */
	struct err *aws_trouble;	/* why it could not be made */
	enum authority authority;
	int settle;		/* seconds that a file must have rested; 0 for
				 * s3:// */
	bool keep;		/* never delete from the source */
	bool verbatim;		/* store the object's bytes, nothing added */
	struct route *routes;
	size_t routes_n;
	struct route *catch_all;	/* NULL: none; is routes[routes_n] */
};

struct settings {
	const char *state_dir;		/* NULL until settings_state_dir() */
	const char *engine_user;	/* of the engine when started as root */
	struct source_settings *sources;	/* NULL: the file names none,
						 * it is the milter's alone */
	size_t sources_n;
	struct arena arena;
};

/*
 * Reads the configuration file (JSON, at most 1 MiB). All its mistakes are
 * added to *mistakes, a line each: "FILE: PATH: found X, expected Y (did you
 * mean Z?)", for a syntax error "FILE:LINE:COLUMN: ...".
 * Returns 0, or -1 with ERR_STOP (EX_CONFIG; EX_NOPERM, EX_IOERR when it
 * cannot be read) and s emptied. When running as root, a file that others may
 * write is refused. Asks the passwd database for engine_user.
 */
int settings_read(struct settings *s, const char *file, struct buf *mistakes,
		  struct err *e);

/* The same without file and passwd database: text, called name in mistakes. */
int settings_parse(struct settings *s, const char *name, const char *text,
		   size_t len, struct buf *mistakes, struct err *e);

/*
 * The settings of `fallbackmx sync SOURCE MAILDIR`: one source, settle 0, one
 * route with prefix "". maildir is made absolute; owner may be NULL.
 * ERR_STOP (EX_USAGE) when url is none that this build can read, or when
 * maildir or owner can be none; then s is emptied.
 */
int settings_from_arguments(struct settings *s, const char *url,
			    const char *maildir, const char *owner,
			    struct err *e);

/* One source without a Maildir: for what only looks at it. ERR_STOP (EX_USAGE)
 * as above. */
int settings_from_source(struct settings *s, const char *url, struct err *e);

/*
 * What the command line says of S3 goes before what the sources say; strings
 * stay the caller's, ca_bundle is absolute. ERR_STOP (EX_USAGE) when it cannot
 * be, or when something is said and no source is in S3.
 */
int settings_use_aws(struct settings *s, const struct aws_settings *given,
		     struct err *e);

/* Fills aws_config of each source in S3, with the caller's rights: root reads
 * files that the engine may not. Where it fails it fills aws_trouble instead:
 * the other sources can be read. */
void settings_open_aws(struct settings *s);

/* What was meant by a path on the command line, in s's memory; NULL for none:
 * one with "..", or no working directory. */
const char *settings_absolute(struct settings *s, const char *path);

/*
 * Settles s->state_dir: wanted (made absolute) if not NULL, else what the
 * configuration says, else the default: for root LOCALSTATEDIR/lib/fallbackmx,
 * else .local/state/fallbackmx in the home of the passwd entry. ERR_STOP
 * (EX_USAGE) when there is none, or when it lies inside a source.
 */
int settings_state_dir(struct settings *s, const char *wanted, struct err *e);

/* The settings in force as the document that settings_read() takes; the
 * caller's reference. */
json_t *settings_json(const struct settings *s);

void settings_free(struct settings *s);

#endif
