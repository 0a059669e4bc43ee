/*
 * ingress - which ingress point a session belongs to, and what it refuses
 * before it has seen a recipient.
 *
 * A session of somebody who logged in, or from a trusted network, belongs to
 * "submission", whatever other ingress point would claim it; one that a
 * fallback relay opened never does. Else the first that claims it by
 * {daemon_addr}:{daemon_port}, {daemon_name} or a macro has it, then
 * "submission" those whose {daemon_name} is ORIGINATING (Debian's master.cf
 * gives that to 587 and 465), then the one that claims nothing. Pure.
 */
#ifndef FALLBACKMX_MILTER_INGRESS_H
#define FALLBACKMX_MILTER_INGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "reply.h"
#include "snapshot.h"

/* Where the macros of the MTA come from; NULL for one that it did not send. */
struct macros {
	const char *(*get)(void *from, const char *name);
	void *from;
};

const struct ingress *ingress_find(const struct snapshot *s,
				   const struct ip *client,
				   const struct macros *macros);

/* The client is one of our fallback relays. */
bool ingress_is_relayed(const struct snapshot *s, const struct ip *client);

/* Who wants to send, as far as MAIL tells. */
struct sender {
	struct ip client;	/* family 0 for a relay: it is known later */
	bool tls;
	int64_t size;		/* of SIZE=, -1: not said */
};

/* True: refused, with why and the answer, in the order closed, IP filter, TLS,
 * size. */
bool ingress_refuses(const struct ingress *i, const struct sender *s,
		     enum refusal *why_r, struct reply *reply_r);

/* The address alone: what ingress_refuses() would say of it. */
bool ingress_refuses_client(const struct ingress *i, const struct ip *client,
			    struct reply *reply_r);

/* The most bytes that a message may have here, by the ingress point itself or
 * by its enforced traffic policy; 0: no limit. */
uint64_t ingress_size_max(const struct ingress *i);
void ingress_refuse_size(struct reply *reply_r);

#endif
