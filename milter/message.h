/*
 * message - what is collected of one mail, from MAIL to its end.
 *
 * Everything of it lives in its own arena and goes at once. Nothing here
 * blocks, and what a stranger can make it keep is bounded: lib/mail's limits
 * for the header (only if a policy looks at it), MESSAGE_RECIPIENTS_MAX and
 * MESSAGE_ENVELOPE_MAX for the envelope, and the body only where an archive may
 * want it, most of a large one on disk (keep.h). Beyond the
 * header's limits the fields that we remove are still counted, as they must
 * all go. A message belongs to one thread at a time.
 */
#ifndef FALLBACKMX_MILTER_MESSAGE_H
#define FALLBACKMX_MILTER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingress.h"
#include "keep.h"
#include "lib/base/arena.h"
#include "lib/mail/authres.h"
#include "lib/mail/head.h"
#include "policy/facts.h"
#include "snapshot.h"

#define MESSAGE_RECIPIENTS_MAX ((size_t)50000)
#define MESSAGE_ENVELOPE_MAX ((size_t)8388608)	/* bytes of all addresses */
/* Fields to remove: Postfix walks the whole header for each. */
#define MESSAGE_FORGED_MAX ((size_t)5000)

/* Fields beyond the limits that a rule may remove. */
struct message_lost {
	const char *name;
	unsigned n;
	struct message_lost *next;
};

/* Zero-initialised: none has begun. */
struct message {
	bool begun;
	struct arena memory;
	struct snapshot *snapshot;	/* held */
	const struct ingress *ingress;
	const char *queue_id;	/* "": not told yet */
	/* the envelope */
	struct ip client;	/* of the connection */
	bool relayed;		/* that is a fallback relay of ours */
	const char *mail_from;
	int64_t size_said;	/* -1: not said */
	const char *auth_user, *cert_cn, *tls_name, *cipher;	/* NULL: none */
	enum tls_version tls;
	bool tls_wrapped;
	const char **recipients;	/* for policies */
	const char **texts;		/* envelope_removable() */
	size_t recipients_n, recipients_room, envelope;
	const char *rules_vector, *traffic_vector;	/* of the first one */
	/* the mail */
	bool looked_at;		/* a policy wants the header */
	struct head head;
	struct message_lost *lost;
	uint64_t size;		/* MESSAGE_SIZE, and the header's end */
	unsigned tags;		/* fields called as ours */
	unsigned results;	/* Authentication-Results */
	unsigned *forged;	/* those among them that bear our name and are
				 * not believed, from 1; room grows */
	size_t forged_n, forged_room;
	bool flood;		/* more of these than MESSAGE_FORGED_MAX */
	bool received;		/* the first Received has passed */
	struct authres auth;	/* of those that are believed */
	struct keep keep;	/* for archives */
};

/* Begins with what MAIL tells; arguments as libmilter has them, may be NULL.
 * Takes over the reference to the snapshot. One that had begun is ended. */
void message_begin(struct message *m, struct snapshot *s,
		   const struct ip *client, const struct macros *macros,
		   char *const *arguments);

/* What the ingress point has to know of it. */
void message_sender(const struct message *m, struct sender *s_r);

/* False: the envelope is full. address: envelope_meant() of text. */
bool message_add_recipient(struct message *m, const char *text,
			   const char *address);

void message_set_queue_id(struct message *m, const char *id);

/* One field in the order of the mail; value as it stands behind the colon,
 * folds with LF. blank: one blank in front of it is missing, since the MTA
 * ate it. */
void message_add_header(struct message *m, const char *name,
			const char *value, bool blank);
void message_end_header(struct message *m);
void message_add_body(struct message *m, const void *data, size_t n);

/* How often a header of that name stands in it, also beyond the limits. */
unsigned message_count(const struct message *m, const char *name);

/* Forgets it; again does no harm. */
void message_end(struct message *m);

#endif
