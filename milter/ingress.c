#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ingress.h"

#define ORIGINATING "ORIGINATING"

static const char *
ask(const struct macros *m, const char *name)
{
	const char *value = m->get(m->from, name);

	return value != NULL ? value : "";
}

static bool
is_at(const struct ingress_settings *s, const struct macros *m)
{
	struct ip ip;

	if (s->listener_port == 0 ||
	    atoi(ask(m, "{daemon_port}")) != s->listener_port)
		return false;
	return s->listener_ip.family == 0 ||
	       (facts_ip(ask(m, "{daemon_addr}"), &ip) == 0 &&
		ip.family == s->listener_ip.family &&
		memcmp(ip.bytes, s->listener_ip.bytes, sizeof(ip.bytes)) == 0);
}

static bool
claims(const struct ingress_settings *s, const struct macros *m)
{
	if (is_at(s, m))
		return true;
	if (s->daemon_name != NULL &&
	    strcmp(ask(m, "{daemon_name}"), s->daemon_name) == 0)
		return true;
	return s->macro != NULL && s->value != NULL &&
		strcmp(ask(m, s->macro), s->value) == 0;
}

static bool
is_submission(const struct snapshot *s, const struct ip *client,
	      const struct macros *m)
{
	if (*ask(m, "{auth_authen}") != '\0')
		return true;
	return ip_in(client, s->settings.trusted, s->settings.trusted_n);
}

const struct ingress *
ingress_find(const struct snapshot *s, const struct ip *client,
	     const struct macros *macros)
{
	const bool relayed = ingress_is_relayed(s, client);

	if (!relayed && is_submission(s, client, macros))
		return s->submission;
	for (size_t i = 0; i < s->n; i++)
		if ((!relayed || &s->ingresses[i] != s->submission) &&
		    claims(s->ingresses[i].s, macros))
			return &s->ingresses[i];
	if (!relayed &&
	    strcasecmp(ask(macros, "{daemon_name}"), ORIGINATING) == 0)
		return s->submission;
	return s->rest;
}

bool
ingress_is_relayed(const struct snapshot *s, const struct ip *client)
{
	return ip_in(client, s->settings.relays, s->settings.relays_n);
}

uint64_t
ingress_size_max(const struct ingress *i)
{
	const int64_t own = i->s->max_size;
	const int64_t policy = i->traffic != NULL &&
			i->s->traffic_mode == MODE_ENFORCE
		? policy_size_max(i->traffic)
		: 0;

	if (own > 0 && policy > 0)
		return (uint64_t)(own < policy ? own : policy);
	return (uint64_t)(own > 0 ? own : policy);
}

void
ingress_refuse_size(struct reply *reply_r)
{
	reply_set(reply_r, "552", "5.3.4", "Message is too large");
}

bool
ingress_refuses_client(const struct ingress *i, const struct ip *client,
		       struct reply *reply_r)
{
	if (!ip_refused(client, i->s->ip_filters, i->s->ip_filters_n))
		return false;
	reply_set(reply_r, "550", "5.7.1", "Mail from this address is refused");
	return true;
}

bool
ingress_refuses(const struct ingress *i, const struct sender *s,
		enum refusal *why_r, struct reply *reply_r)
{
	const uint64_t most = ingress_size_max(i);

	if (!i->s->open) {
		*why_r = REFUSAL_CLOSED;
		reply_set(reply_r, "451", "4.3.2",
			  "No mail is taken here now, please try again later");
		return true;
	}
	if (ingress_refuses_client(i, &s->client, reply_r)) {
		*why_r = REFUSAL_IP_FILTER;
		return true;
	}
	if (i->s->tls == TLS_POLICY_REQUIRED && !s->tls) {
		*why_r = REFUSAL_TLS;
		reply_set(reply_r, "530", "5.7.0",
			  "Must issue a STARTTLS command first");
		return true;
	}
	if (most > 0 && s->size >= 0 && (uint64_t)s->size > most) {
		*why_r = REFUSAL_SIZE;
		ingress_refuse_size(reply_r);
		return true;
	}
	return false;
}
