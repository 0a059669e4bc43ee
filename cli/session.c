#include <config.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "lib/base/text.h"
#include "lib/mail/received.h"
#include "lib/mail/relayed.h"
#include "session.h"

#define ADDRESS_MAX ((size_t)320)	/* RFC 5321, 4.5.3.1: 64 + 1 + 255 */

struct version {
	const char *name;
	enum tls_version version;
};

static const struct version versions[] = {
	{ "none", TLS_WITHOUT }, { "TLSv1", TLS_OLDER },
	{ "TLSv1.1", TLS_OLDER }, { "TLSv1.2", TLS_1_2 },
	{ "TLSv1.3", TLS_1_3 },
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* local@domain, or postmaster alone (RFC 5321, 4.1.1.3). Good enough to notice
 * what was meant for another option. */
static bool
is_address(const char *s, size_t n)
{
	const char *at = memrchr(s, '@', n);
	const bool quoted = n > 0 && *s == '"';

	if (n == 0 || n > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f ||
		    (s[i] == ' ' && !quoted))
			return false;
	if (at == NULL)
		return n == 10 && strncasecmp(s, "postmaster", n) == 0;
	return at > s && at < s + n - 1;
}

/* The address without its brackets; NULL: it is none. "<>" and "" are "". */
static const char *
read_address(const char *s, struct arena *a)
{
	size_t n = strlen(s);

	if (n >= 2 && s[0] == '<' && s[n - 1] == '>') {
		s++;
		n -= 2;
	}
	if (n > 0 && !is_address(s, n))
		return NULL;
	return arena_strndup(a, s, n);
}

static int
take_sender(const char *word, struct session *s, struct arena *a,
	    struct err *e)
{
	if (word == NULL)
		return 0;
	s->facts.mail_from = read_address(word, a);
	s->mail_from = ORIGIN_GIVEN;
	if (s->facts.mail_from != NULL)
		return 0;
	return err_stop(e, EX_USAGE, "cannot use --mail-from %s: expected an "
			"address, or <> for the null sender", text_show(word));
}

static int
take_recipients(const struct option_list *words, struct session *s,
		struct arena *a, struct err *e)
{
	const char **all = arena_alloc(a, (words->n + 1) * sizeof(*all));

	for (size_t i = 0; i < words->n; i++) {
		all[i] = read_address(words->all[i], a);
		if (all[i] == NULL || *all[i] == '\0')
			return err_stop(e, EX_USAGE, "cannot use --rcpt %s: "
					"expected an address",
					text_show(words->all[i]));
	}
	s->facts.recipients = all;
	s->facts.recipients_n = words->n;
	s->recipients = words->n > 0 ? ORIGIN_GIVEN : ORIGIN_NONE;
	return 0;
}

static int
take_client(const char *word, struct session *s, struct err *e)
{
	if (word == NULL)
		return 0;
	s->client = ORIGIN_GIVEN;
	if (facts_ip(word, &s->facts.client) == 0)
		return 0;
	return err_stop(e, EX_USAGE, "cannot use --client-ip %s: expected an "
			"IP address, as 192.0.2.1 or 2001:db8::1",
			text_show(word));
}

static int
take_tls(const struct session_options *o, struct session *s, struct err *e)
{
	size_t i = 0;

	if (o->tls_wrapped)
		s->facts.tls_wrapped = FACT_YES;
	if (o->tls_version == NULL)
		return 0;
	while (i < VERSIONS && strcasecmp(versions[i].name,
					  o->tls_version) != 0)
		i++;
	if (i == VERSIONS)
		return err_stop(e, EX_USAGE, "cannot use --tls-version %s: "
				"expected TLSv1.3, TLSv1.2, TLSv1.1, TLSv1 or "
				"none", text_show(o->tls_version));
	s->facts.tls = versions[i].version;
	if (o->tls_wrapped && s->facts.tls == TLS_WITHOUT)
		return err_stop(e, EX_USAGE, "cannot use --tls-wrapped: "
				"--tls-version says that there is no TLS");
	/* Who describes the TLS of a session describes all of it. */
	if (!o->tls_wrapped)
		s->facts.tls_wrapped = FACT_NO;
	return 0;
}

/* What the API allows in a ResultField, behind "addon." (RuleSet,
 * Analysis): no dot and no '=', so that its end can be found. */
static bool
is_field(const char *from, const char *to)
{
	if (from == to)
		return false;
	for (; from < to; from++)
		if (!isalnum((unsigned char)*from) && *from != '_' &&
		    *from != ' ')
			return false;
	return true;
}

/* NAME.FIELD=VALUE: a name may have dots and '=' in it (an ARN has), a value
 * too, a field neither, but for its "addon.". */
static int
take_analysis(const char *word, struct facts_analysis *x, struct arena *a,
	      struct err *e)
{
	const char *end = strchr(word, '='), *dot = NULL;

	for (; end != NULL; end = strchr(end + 1, '=')) {
		dot = memrchr(word, '.', (size_t)(end - word));
		if (dot != NULL && dot > word && is_field(dot + 1, end))
			break;
	}
	if (end == NULL)
		return err_stop(e, EX_USAGE, "cannot use --analysis %s: "
				"expected NAME.FIELD=VALUE, NAME being the "
				"Analyzer of a condition and FIELD its "
				"ResultField", text_show(word));
	if (dot - word > 6 && strncmp(dot - 6, ".addon", 6) == 0)
		dot -= 6;
	x->analyzer = arena_strndup(a, word, (size_t)(dot - word));
	x->field = arena_strndup(a, dot + 1, (size_t)(end - dot - 1));
	x->value = end + 1;
	return 0;
}

static int
take_analyses(const struct option_list *words, struct session *s,
	      struct arena *a, struct err *e)
{
	struct facts_analysis *all;

	all = arena_alloc(a, (words->n + 1) * sizeof(*all));
	for (size_t i = 0; i < words->n; i++)
		if (take_analysis(words->all[i], &all[i], a, e) < 0)
			return -1;
	s->facts.analyses = all;
	s->facts.analyses_n = words->n;
	return 0;
}

int
session_given(const struct session_options *o, struct session *s_r,
	      struct arena *a, struct err *e)
{
	*s_r = (struct session){
		.facts = { .helo = o->helo, .auth_user = o->auth_user,
			   .cert_cn = o->cert_cn },
		.helo = o->helo ? ORIGIN_GIVEN : ORIGIN_NONE,
		.authserv_id = o->authserv_id,
	};
	if (take_client(o->client_ip, s_r, e) < 0 ||
	    take_sender(o->mail_from, s_r, a, e) < 0 ||
	    take_recipients(&o->rcpt, s_r, a, e) < 0 ||
	    take_tls(o, s_r, e) < 0)
		return -1;
	return take_analyses(&o->analysis, s_r, a, e);
}

/* How many fields the importer put on top (sync/batch-stage.c). */
static size_t
count_own(const struct head *h)
{
	size_t i = 0;

	while (i < h->n && i < 2 && (head_is(&h->fields[i], "Delivered-To") ||
				     head_is(&h->fields[i], "X-Original-To")))
		i++;
	if (i < h->n && head_is(&h->fields[i], "X-FallbackMX"))
		return i + 1;
	return 0;
}

static void
use_return_path(struct session *s, struct arena *a)
{
	const struct head *h = &s->head;

	if (s->mail_from != ORIGIN_NONE || h->n == 0 ||
	    !head_is(&h->fields[0], "Return-Path"))
		return;
	s->facts.mail_from = read_address(head_value(&h->fields[0], a), a);
	if (s->facts.mail_from != NULL)
		s->mail_from = ORIGIN_RETURN_PATH;
}

static void
use_ses(struct session *s, const char *text, size_t n, struct arena *a)
{
	struct received line;
	struct relayed from;

	received_read(text, n, &line);
	if (!line.found)
		return;
	if (s->recipients == ORIGIN_NONE && *line.recipient != '\0') {
		const char **one = arena_alloc(a, sizeof(*one));

		*one = arena_strdup(a, line.recipient);
		s->facts.recipients = one;
		s->facts.recipients_n = 1;
		s->recipients = ORIGIN_SES;
	}
	/* The top Received line is SES's, so this reads the same one. */
	if (!relayed_read(&s->head, &from))
		return;
	if (s->client == ORIGIN_NONE &&
	    facts_ip(from.ip, &s->facts.client) == 0)
		s->client = ORIGIN_SES;
	if (s->helo == ORIGIN_NONE && *from.helo != '\0') {
		s->facts.helo = arena_strdup(a, from.helo);
		s->helo = ORIGIN_SES;
	}
}

static void
use_authres(struct session *s, struct arena *a)
{
	const struct head_field *f = NULL;

	while ((f = head_next(&s->head, "Authentication-Results", f))) {
		s->authres_n++;
		if (s->authserv_id != NULL)
			authres_add(&s->facts.auth, head_value(f, a),
				    s->authserv_id, NULL);
	}
}

int
session_read(const struct session *given, const char *text, size_t n,
	     struct session *s_r, struct arena *a, struct err *e)
{
	const char *nul = memchr(text, '\0', n);
	size_t own;

	if (n == 0)
		return err_stop(e, EX_DATAERR, "found nothing, expected a "
				"mail");
	if (nul != NULL)
		return err_stop(e, EX_DATAERR, "found a NUL at byte %td, "
				"expected a mail (RFC 5322, 2.2)", nul - text);
	*s_r = *given;
	head_read(&s_r->head, text, n, a);
	own = count_own(&s_r->head);
	if (own > 0 && own < s_r->head.n) {
		const char *rest = s_r->head.fields[own].name;

		n -= (size_t)(rest - text);
		text = rest;
		s_r->imported = true;
		s_r->head = (struct head){ 0 };
		head_read(&s_r->head, text, n, a);
	}
	s_r->facts.head = &s_r->head;
	s_r->facts.size = facts_size(text, n);
	use_return_path(s_r, a);
	use_ses(s_r, text, n, a);
	use_authres(s_r, a);
	if (s_r->facts.recipients_n > 0)
		return 0;
	return err_stop(e, EX_DATAERR, "found no recipient, expected --rcpt "
			"ADDRESS or SES's own Received line on top");
}
