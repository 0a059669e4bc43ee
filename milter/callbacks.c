#include <config.h>

#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <string.h>

#include "apply.h"
#include "callbacks-private.h"
#include "callbacks.h"
#include "envelope.h"
#include "lib/base/log.h"

#define SYMBOLS_MAX ((size_t)4096)

struct filter filter = { .sessions_max = ~0U };

/* The session of this connection; made where it is missed. */
static struct session *
session_of(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	if (s == NULL) {
		s = session_new();
		smfi_setpriv(ctx, s);
		counter_add(filter.sessions, 1);
		atomic_fetch_add(&filter.open, 1);
	}
	return s;
}

static const char *
get_macro(void *from, const char *name)
{
	return smfi_getsymval(from, (char *)(size_t)name);
}

/* What the answer is where the MTA waits for none. */
static sfsistat
go_on(const struct session *s, unsigned long silent)
{
	return (s->silent & silent) ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

void
filter_count_in(struct session *s)
{
	if (!s->counted)
		atomic_fetch_add(&filter.middle, 1);
	s->counted = true;
}

void
filter_end_message(struct session *s)
{
	if (s->message.begun)
		counter_sub(filter.messages, 1);
	message_end(&s->message);
	if (s->counted)
		atomic_fetch_sub(&filter.middle, 1);
	s->counted = false;
}

/* All macros that we ask for, so that nobody has to set them in main.cf. `v`
 * always has a value: where none has, the MTA sends nothing, and libmilter
 * keeps the values of the command before. */
static const struct {
	int stage;
	const char *names;
} symbols[] = {
	{ SMFIM_HELO, "{tls_version} {cipher} {cert_subject}" },
	{ SMFIM_ENVFROM, "v {mail_addr} "
	  "{auth_authen} {auth_type} {tls_version} {cipher} {cert_subject}" },
	{ SMFIM_ENVRCPT, "v {rcpt_addr} i" },
	{ SMFIM_DATA, "i" },
	{ SMFIM_EOM, "i" },
};

static void
ask_macros(SMFICTX *ctx, const struct snapshot *snapshot)
{
	const struct filter_settings *s = &snapshot->settings;
	struct buf connect;

	buf_init(&connect, SYMBOLS_MAX);
	buf_printf(&connect, "{daemon_name} {daemon_addr} {daemon_port} "
		   "{client_name} {client_port}");
	for (size_t i = 0; i < s->ingresses_n; i++)
		if (s->ingresses[i].macro != NULL)
			buf_printf(&connect, " %s", s->ingresses[i].macro);
	smfi_setsymlist(ctx, SMFIM_CONNECT, connect.data);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		smfi_setsymlist(ctx, symbols[i].stage,
				(char *)(size_t)symbols[i].names);
	buf_free(&connect);
}

static bool
is_full(void)
{
	if (atomic_load(&filter.open) <= filter.sessions_max)
		return false;
	log_problem("cannot serve a connection: %u are open, and there are "
		    "descriptors for no more",
		    filter.sessions_max);
	return true;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
	     unsigned long more, unsigned long still_more,
	     unsigned long *actions_r, unsigned long *steps_r,
	     unsigned long *more_r, unsigned long *still_more_r)
{
	const unsigned long silent = SMFIP_NR_CONN | SMFIP_NR_HELO |
		SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;
	struct session *s = session_of(ctx);
	struct snapshot *snapshot;

	(void)more;
	(void)still_more;
	if ((actions & FILTER_EDITS) != FILTER_EDITS) {
		log_problem("cannot work for this MTA: of the edits 0x%lx it "
			    "offers 0x%lx",
			    FILTER_EDITS, actions);
		return SMFIS_REJECT;
	}
	if (is_full())
		return SMFIS_REJECT;
	s->silent = silent & steps;
	s->blank = (steps & SMFIP_HDR_LEADSPC) != 0;
	*actions_r = FILTER_EDITS | (actions & SMFIF_SETSYMLIST);
	*steps_r = s->silent | (steps & (SMFIP_HDR_LEADSPC | SMFIP_NOUNKNOWN));
	*more_r = 0;
	*still_more_r = 0;
	if (actions & SMFIF_SETSYMLIST) {
		snapshot = snapshot_hold();
		ask_macros(ctx, snapshot);
		snapshot_drop(snapshot);
	}
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	struct session *s = session_of(ctx);

	(void)name;
	session_connect(s, (const struct sockaddr *)address);
	return go_on(s, SMFIP_NR_CONN);
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	struct session *s = session_of(ctx);

	session_greet(s, name);
	return go_on(s, SMFIP_NR_HELO);
}

static sfsistat
refuse(SMFICTX *ctx, const struct session *s, const char *address,
       enum refusal why, const struct reply *reply,
       const struct verdict_recipient *by)
{
	counter_add(s->message.ingress->refusals[why], 1);
	filter_log_refusal(s, address, why, reply, by);
	return apply_reply(ctx, reply);
}

static bool
is_draining(struct reply *reply_r)
{
	if (!atomic_load(&filter.draining))
		return false;
	reply_set(reply_r, "451", "4.3.2",
		  "The mail filter is stopping, please try again later");
	return true;
}

static sfsistat
on_envfrom(SMFICTX *ctx, char **arguments)
{
	const struct macros macros = { get_macro, ctx };
	struct session *s = session_of(ctx);
	struct sender sender;
	struct reply reply;
	enum refusal why = REFUSAL_CLOSED;
	sfsistat answer = SMFIS_CONTINUE;

	filter_end_message(s);
	message_begin(&s->message, snapshot_hold(), &s->client, &macros,
		      arguments);
	counter_add(filter.messages, 1);
	message_sender(&s->message, &sender);
	if (is_draining(&reply) ||
	    ingress_refuses(s->message.ingress, &sender, &why, &reply)) {
		answer = refuse(ctx, s, NULL, why, &reply, NULL);
		filter_end_message(s);
	}
	return answer;
}

static sfsistat
take_recipient(SMFICTX *ctx, struct session *s, const char *text,
	       const char *address)
{
	struct verdict_recipient by = { .by = TRAFFIC_BY_DEFAULT };
	enum refusal why = REFUSAL_CLOSED;
	struct reply reply;

	if (s->message.recipients_n == 0 && is_draining(&reply))
		return refuse(ctx, s, address, why, &reply, NULL);
	if (judge_recipient(&s->message, s->helo, text, address, &why, &reply,
			    &by)) {
		filter_count_in(s);
		return SMFIS_CONTINUE;
	}
	if (why == REFUSAL_POLICY)
		ingress_count_traffic(s->message.ingress, &by);
	return refuse(ctx, s, address, why, &reply,
		      why == REFUSAL_POLICY ? &by : NULL);
}

static sfsistat
on_envrcpt(SMFICTX *ctx, char **arguments)
{
	struct session *s = session_of(ctx);
	const char *text = arguments != NULL && arguments[0] != NULL
		? arguments[0]
		: "";
	struct arena work = { NULL };
	sfsistat answer;
	size_t before;

	if (!s->message.begun)
		return SMFIS_TEMPFAIL;
	before = s->message.recipients_n;
	answer = take_recipient(ctx, s, text,
				envelope_meant(get_macro(ctx, "{rcpt_addr}"),
					       text, &work));
	arena_free(&work);
	if (s->message.recipients_n > before)
		keep_recipient(&s->message.keep, arguments,
			       &s->message.memory);
	return answer;
}

static sfsistat
on_data(SMFICTX *ctx)
{
	struct session *s = session_of(ctx);

	if (s->message.begun)
		message_set_queue_id(&s->message, get_macro(ctx, "i"));
	return go_on(s, SMFIP_NR_DATA);
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s = session_of(ctx);

	if (s->message.begun && name != NULL && value != NULL)
		message_add_header(&s->message, name, value, !s->blank);
	return go_on(s, SMFIP_NR_HDR);
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
	struct session *s = session_of(ctx);

	if (s->message.begun)
		message_end_header(&s->message);
	return go_on(s, SMFIP_NR_EOH);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *part, size_t n)
{
	struct session *s = session_of(ctx);

	if (s->message.begun)
		message_add_body(&s->message, part, n);
	return go_on(s, SMFIP_NR_BODY);
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	struct session *s = session_of(ctx);
	sfsistat answer = SMFIS_TEMPFAIL;

	if (s->message.begun) {
		message_set_queue_id(&s->message, get_macro(ctx, "i"));
		answer = filter_finish(ctx, s);
	}
	filter_end_message(s);
	return answer;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	if (s != NULL)
		filter_end_message(s);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	if (s == NULL)
		return SMFIS_CONTINUE;
	smfi_setpriv(ctx, NULL);
	filter_end_message(s);
	session_free(s);
	counter_sub(filter.sessions, 1);
	atomic_fetch_sub(&filter.open, 1);
	return SMFIS_CONTINUE;
}

int
callbacks_register(struct err *e)
{
	struct smfiDesc what = {
		.xxfi_name = (char *)(size_t) "fallbackmx-milter",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = FILTER_EDITS | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_envfrom,
		.xxfi_envrcpt = on_envrcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};

	filter_begin();
	if (smfi_register(what) != MI_SUCCESS)
		return err_set(e, ERR_STOP, "cannot register with libmilter");
	return 0;
}

void
callbacks_limit(unsigned sessions)
{
	filter.sessions_max = sessions;
}

void
callbacks_drain(void)
{
	atomic_store(&filter.draining, true);
}

unsigned
callbacks_sessions(void)
{
	return atomic_load(&filter.open);
}

unsigned
callbacks_in_the_middle(void)
{
	return atomic_load(&filter.middle);
}
