#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "envelope.h"
#include "message.h"
#include "tag.h"

#define QUEUE_ID_MAX ((size_t)255)
#define MACRO_MAX ((size_t)1000)
#define WRAPPED_PORT "465"

/* A copy of a macro's value; NULL: it is not there. */
static const char *
copy(struct message *m, const struct macros *macros, const char *name)
{
	const char *value = macros->get(macros->from, name);

	return value == NULL || *value == '\0'
		? NULL
		: arena_strndup(&m->memory, value, MACRO_MAX);
}

static enum tls_version
version_of(const char *name)
{
	if (name == NULL)
		return TLS_WITHOUT;
	if (strcasecmp(name, "TLSv1.3") == 0)
		return TLS_1_3;
	return strcasecmp(name, "TLSv1.2") == 0 ? TLS_1_2 : TLS_OLDER;
}

static void
read_tls(struct message *m, const struct macros *macros)
{
	const char *port = macros->get(macros->from, "{daemon_port}");

	m->tls_name = copy(m, macros, "{tls_version}");
	m->tls = version_of(m->tls_name);
	m->cipher = copy(m, macros, "{cipher}");
	m->cert_cn = copy(m, macros, "{cert_subject}");
	m->tls_wrapped = m->tls_name != NULL &&
		(m->ingress->s->tls_wrapped ||
		 (port != NULL && strcmp(port, WRAPPED_PORT) == 0));
}

/* A large message waits where it will be. */
static void
begin_keeping(struct message *m, const struct macros *macros,
	      char *const *arguments)
{
	keep_begin(&m->keep, m->snapshot->settings.archive->directory,
		   arguments, &m->memory);
	m->keep.client_name = copy(m, macros, "{client_name}");
	m->keep.client_port = copy(m, macros, "{client_port}");
	m->keep.auth_type = copy(m, macros, "{auth_type}");
}

void
message_begin(struct message *m, struct snapshot *s, const struct ip *client,
	      const struct macros *macros, char *const *arguments)
{
	message_end(m);
	m->begun = true;
	m->snapshot = s;
	m->client = *client;
	m->ingress = ingress_find(s, client, macros);
	m->relayed = ingress_is_relayed(s, client);
	m->looked_at = m->ingress->traffic != NULL ||
		m->ingress->rules != NULL || m->relayed;
	m->queue_id = "";
	m->mail_from = envelope_meant(macros->get(macros->from, "{mail_addr}"),
				      arguments ? arguments[0] : NULL,
				      &m->memory);
	m->size_said = envelope_size(arguments);
	m->auth_user = copy(m, macros, "{auth_authen}");
	read_tls(m, macros);
	if (m->ingress->archives)
		begin_keeping(m, macros, arguments);
}

void
message_sender(const struct message *m, struct sender *s_r)
{
	*s_r = (struct sender){ .tls = m->tls_name != NULL,
				.size = m->size_said };
	if (!m->relayed)
		s_r->client = m->client;
}

static const char **
grow(struct message *m, const char **old)
{
	const size_t n = m->recipients_n;
	const char **more = arena_alloc(&m->memory,
					2 * (n + 8) * sizeof(*more));

	if (n > 0)
		memcpy(more, old, n * sizeof(*more));
	return more;
}

bool
message_add_recipient(struct message *m, const char *text, const char *address)
{
	const size_t n = strlen(text) + strlen(address);

	if (m->recipients_n == MESSAGE_RECIPIENTS_MAX ||
	    n > MESSAGE_ENVELOPE_MAX - m->envelope)
		return false;
	m->envelope += n;
	if (m->recipients_n == m->recipients_room) {
		m->recipients = grow(m, m->recipients);
		m->texts = grow(m, m->texts);
		m->recipients_room = 2 * (m->recipients_n + 8);
	}
	m->recipients[m->recipients_n] = arena_strdup(&m->memory, address);
	m->texts[m->recipients_n] = arena_strdup(
		&m->memory, envelope_removable(text, &m->memory));
	m->recipients_n++;
	return true;
}

void
message_set_queue_id(struct message *m, const char *id)
{
	if (id != NULL && *id != '\0' && strcmp(id, m->queue_id) != 0)
		m->queue_id = arena_strndup(&m->memory, id, QUEUE_ID_MAX);
}

/* Bytes of a name without the blanks behind it. */
static size_t
name_length(const char *name)
{
	size_t n = strlen(name);

	while (n > 0 && (name[n - 1] == ' ' || name[n - 1] == '\t'))
		n--;
	return n;
}

static bool
is(const char *name, size_t n, const char *wanted)
{
	return n == strlen(wanted) && strncasecmp(name, wanted, n) == 0;
}

static void
remember_forged(struct message *m)
{
	if (m->forged_n == MESSAGE_FORGED_MAX) {
		m->flood = true;
		return;
	}
	if (m->forged_n == m->forged_room) {
		m->forged_room = 2 * (m->forged_room + 8);
		m->forged = mem_grow(m->forged, m->forged_room,
				     sizeof(*m->forged));
	}
	m->forged[m->forged_n++] = m->results;
}

/* Only what stands above the first Received can be of this server. */
static void
read_results(struct message *m, const char *value)
{
	const struct filter_settings *s = &m->snapshot->settings;
	const struct head_field f = { .value = value,
				      .value_n = strlen(value) };
	const char *job = *m->queue_id != '\0' ? m->queue_id : NULL;
	struct authres below = { 0 }, *r = m->received ? &below : &m->auth;
	struct arena work = { NULL };
	const char *text = head_value(&f, &work);
	enum authres_field found = s->authserv_job
		? authres_add_bound(r, text, s->authserv_id, job)
		: authres_add(r, text, s->authserv_id, job);

	if (found == AUTHRES_FORGED ||
	    (found == AUTHRES_BELIEVED && m->received))
		remember_forged(m);
	arena_free(&work);
}

/* The header's limits are passed: what a rule may want to remove is counted.
 */
static void
count_lost(struct message *m, const char *name, size_t n)
{
	struct message_lost *x = m->lost;
	char *copied;

	if (m->ingress->rules == NULL || n > HEAD_FIELD_MAX)
		return;
	while (x != NULL && !is(name, n, x->name))
		x = x->next;
	if (x == NULL) {
		copied = mem_alloc(n + 1);
		memcpy(copied, name, n);
		if (policy_removes(m->ingress->rules, copied)) {
			x = arena_alloc(&m->memory, sizeof(*x));
			x->name = arena_strdup(&m->memory, copied);
			x->next = m->lost;
			m->lost = x;
		}
		free(copied);
	}
	if (x != NULL)
		x->n++;
}

void
message_add_header(struct message *m, const char *name, const char *value,
		   bool blank)
{
	const size_t n = name_length(name), before = m->head.n;

	/* The colon, and CR LF; each LF of a fold is two bytes, too. */
	m->size += strlen(name) + 1 + blank + facts_size(value, strlen(value)) +
		2;
	if (is(name, n, TAG_NAME))
		m->tags++;
	if (is(name, n, "Received"))
		m->received = true;
	if (is(name, n, "Authentication-Results")) {
		m->results++;
		if (m->snapshot->settings.authserv_id != NULL)
			read_results(m, value);
	}
	keep_field(&m->keep, name, value, blank);
	if (!m->looked_at)
		return;
	head_add(&m->head, name, value, &m->memory);
	if (m->head.n == before)
		count_lost(m, name, n);
}

void
message_end_header(struct message *m)
{
	m->size += 2;
	keep_header_end(&m->keep);
}

void
message_add_body(struct message *m, const void *data, size_t n)
{
	m->size += n;
	keep_body(&m->keep, data, n);
}

unsigned
message_count(const struct message *m, const char *name)
{
	const struct head_field *f = NULL;
	unsigned n = 0;

	if (tag_is_name(name))
		return m->tags;
	if (strcasecmp(name, "Authentication-Results") == 0)
		return m->results;
	while ((f = head_next(&m->head, name, f)) != NULL)
		n++;
	for (const struct message_lost *x = m->lost; x != NULL; x = x->next)
		if (strcasecmp(x->name, name) == 0)
			n += x->n;
	return n;
}

void
message_end(struct message *m)
{
	if (!m->begun)
		return;
	keep_end(&m->keep);
	free(m->forged);
	arena_free(&m->memory);
	snapshot_drop(m->snapshot);
	*m = (struct message){ .begun = false };
}
