#include <config.h>

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "settings-private.h"

#define PATH_MOST 3000		/* bytes of a file's name */
#define SOCKET_MOST 512		/* bytes of a socket's */
#define ARCHIVES LOCALSTATEDIR "/lib/fallbackmx-archive"
#define FREE_MIB 256

const char *const filter_modes[] = {
	[MODE_ENFORCE] = "enforce", [MODE_SHADOW] = "shadow", NULL
};

const char *const trouble_words[] = {
	[TROUBLE_INTERNAL] = "internal", [TROUBLE_OVERLOAD] = "overload",
	[TROUBLE_LIMITS] = "limits", [TROUBLE_EDIT] = "edit",
	[TROUBLE_ARCHIVE] = "archive", NULL
};

const char *const target_ways[] = {
	[TARGET_LOCAL] = "local", [TARGET_SKIP] = "skip",
	[TARGET_CARRY] = "carry", NULL
};

static const char *const storage_words[] = {
	[STORAGE_REQUIRED] = "required", [STORAGE_BEST_EFFORT] = "best-effort",
	NULL
};

static const char *const log_words[] = { "text", "json", NULL };

static const char *const answer_words[] = {
	[TROUBLE_TEMPFAIL] = "tempfail", [TROUBLE_ACCEPT] = "accept", NULL
};
static const char *const limits_words[] = {
	[TROUBLE_TEMPFAIL] = "tempfail", [TROUBLE_ACCEPT] = "accept",
	[TROUBLE_REJECT] = "reject", NULL
};

/* Those of ingress points, then those of receipt rules. */
static const char *const tls_words[] = {
	[TLS_POLICY_OPTIONAL] = "OPTIONAL", [TLS_POLICY_REQUIRED] = "REQUIRED",
	"Optional", "Require", NULL
};

static const char *const filter_words[] = { "Allow", "Block", NULL };

/* The tables: parsing, `config show` and fallbackmx.json(5) follow them. */
static const struct config_row on_failure_rows[] = {
	{ .key = "internal", .type = CONFIG_WORD, .words = answer_words,
	  .offset = TROUBLE_INTERNAL * sizeof(int),
	  .help = "what a bug answers" },
	{ .key = "overload", .type = CONFIG_WORD, .words = answer_words,
	  .offset = TROUBLE_OVERLOAD * sizeof(int),
	  .help = "what too much work at once answers" },
	{ .key = "limits", .type = CONFIG_WORD, .words = limits_words,
	  .offset = TROUBLE_LIMITS * sizeof(int),
	  .help = "what too much header answers" },
	{ .key = "edit", .type = CONFIG_WORD, .words = answer_words,
	  .offset = TROUBLE_EDIT * sizeof(int),
	  .help = "what a change that failed answers" },
	{ .key = NULL }
};

static const struct config_row analysis_rows[] = {
	{ .key = "analyzer", .type = CONFIG_STRING, .required = true,
	  .max = 2048, .offset = offsetof(struct analysis_settings, analyzer),
	  .help = "the Analyzer of a condition" },
	{ .key = "result_field", .type = CONFIG_STRING, .required = true,
	  .max = 256, .offset = offsetof(struct analysis_settings, field),
	  .help = "the ResultField of a condition" },
	{ .key = "header", .type = CONFIG_STRING, .required = true,
	  .max = 256, .offset = offsetof(struct analysis_settings, header),
	  .help = "the name of a header field" },
	{ .key = NULL }
};

static const struct config_row target_rows[] = {
	{ .key = "target", .type = CONFIG_STRING, .required = true,
	  .max = 2048, .offset = offsetof(struct target_settings, target),
	  .help = "an id, ARN, name or bucket, or Send" },
	{ .key = "action", .type = CONFIG_WORD, .required = true,
	  .words = target_ways,
	  .offset = offsetof(struct target_settings, way),
	  .help = "what is done instead" },
	{ .key = "archive", .type = CONFIG_STRING, .max = 63,
	  .offset = offsetof(struct target_settings, archive),
	  .help = "the name of an archive here" },
	{ .key = "storage", .type = CONFIG_WORD, .words = storage_words,
	  .offset = offsetof(struct target_settings, storage),
	  .help = "whether mail is refused that cannot be archived" },
	{ .key = NULL }
};

static const struct config_row archive_rows[] = {
	{ .key = "directory", .type = CONFIG_STRING, .max = PATH_MOST,
	  .text = ARCHIVES, .offset = offsetof(struct archive_settings,
					       directory),
	  .help = "the directory of all archives" },
	{ .key = "default", .type = CONFIG_STRING, .max = 63,
	  .offset = offsetof(struct archive_settings, rest),
	  .help = "the archive of all mail" },
	{ .key = "storage", .type = CONFIG_WORD, .words = storage_words,
	  .offset = offsetof(struct archive_settings, storage),
	  .help = "whether mail is refused that cannot be archived" },
	{ .key = "free", .type = CONFIG_INTEGER, .min = 1, .max = 1048576,
	  .number = FREE_MIB, .unit = "MiB",
	  .offset = offsetof(struct archive_settings, free_mib),
	  .help = "what is left free on the disk" },
	{ .key = NULL }
};

static const struct config_row list_rows[] = {
	{ .key = "name", .type = CONFIG_STRING, .required = true,
	  .max = 2048, .offset = offsetof(struct list_settings, name),
	  .help = "what conditions call the list by" },
	{ .key = "file", .type = CONFIG_STRING, .required = true,
	  .max = PATH_MOST, .offset = offsetof(struct list_settings, file),
	  .help = "a file" },
	{ .key = NULL }
};

/* As SES's ReceiptFilter has them. */
static const struct config_row ip_filter_rows[] = {
	{ .key = "Policy", .type = CONFIG_WORD, .required = true,
	  .words = filter_words, .offset = offsetof(struct ip_filter, block),
	  .help = "Allow or Block" },
	{ .key = "Cidr", .type = CONFIG_STRING, .required = true, .max = 64,
	  .offset = offsetof(struct ip_filter, cidr),
	  .help = "a range of addresses" },
	{ .key = NULL }
};

#define OF(field) .offset = offsetof(struct ingress_settings, field)

static const struct config_row ingress_rows[] = {
	{ .key = "name", .type = CONFIG_STRING, .required = true, .max = 63,
	  OF(name), .help = "an ingress point's name" },
	{ .key = "listener", .type = CONFIG_STRING, .max = 64, OF(listener),
	  .help = "ADDRESS:PORT" },
	{ .key = "daemon_name", .type = CONFIG_STRING, .max = 255,
	  OF(daemon_name), .help = "a milter_macro_daemon_name" },
	{ .key = "macro", .type = CONFIG_STRING, .max = 64, OF(macro),
	  .help = "a macro's name" },
	{ .key = "value", .type = CONFIG_STRING, .max = 255, OF(value),
	  .help = "the macro's value" },
	{ .key = "traffic_policy", .type = CONFIG_STRING, .max = PATH_MOST,
	  OF(traffic_policy), .help = "a file" },
	{ .key = "traffic_policy_mode", .type = CONFIG_WORD,
	  .words = filter_modes, OF(traffic_mode),
	  .help = "whether it counts" },
	{ .key = "rule_set", .type = CONFIG_STRING, .max = PATH_MOST,
	  OF(rule_set), .help = "a file" },
	{ .key = "rule_set_mode", .type = CONFIG_WORD, .words = filter_modes,
	  OF(rule_set_mode), .help = "whether it counts" },
	{ .key = "tls_policy", .type = CONFIG_WORD, .words = tls_words,
	  OF(tls), .help = "whether STARTTLS is demanded" },
	{ .key = "tls_wrapped", .type = CONFIG_BOOLEAN, OF(tls_wrapped),
	  .help = "TLS before SMTP" },
	{ .key = "max_message_size", .type = CONFIG_INTEGER, .min = 0,
	  .max = 2147483647, .unit = "bytes", OF(max_size),
	  .help = "the largest message" },
	{ .key = "open", .type = CONFIG_BOOLEAN, .number = 1, OF(open),
	  .help = "whether mail is taken" },
	{ .key = "deny_text", .type = CONFIG_STRING, .max = 400,
	  .text = "Refused by policy", OF(deny_text),
	  .help = "the text of a refusal" },
	{ .key = "ip_filters", .type = CONFIG_LIST, .max = 100,
	  .rows = ip_filter_rows, .size = sizeof(struct ip_filter),
	  OF(ip_filters),
	  .count = offsetof(struct ingress_settings, ip_filters_n),
	  .help = "who is refused by address" },
	{ .key = NULL }
};

#undef OF
#define OF(field) .offset = offsetof(struct filter_settings, field)
#define COUNT_OF(field) .count = offsetof(struct filter_settings, field)

static const struct config_row milter_rows[] = {
	{ .key = "socket", .type = CONFIG_STRING, .max = SOCKET_MOST,
	  .text = "unix:/var/spool/postfix/fallbackmx/milter.sock",
	  OF(socket), .help = "unix:PATH, inet:HOST:PORT or fd" },
	{ .key = "socket_group", .type = CONFIG_STRING, .max = 63,
	  .text = "postfix", OF(socket_group), .help = "a group's name" },
	{ .key = "control_socket", .type = CONFIG_STRING, .max = SOCKET_MOST,
	  .text = "/run/fallbackmx-milter/control.sock",
	  OF(control_socket), .help = "a path" },
	{ .key = "metrics_file", .type = CONFIG_STRING, .max = PATH_MOST,
	  OF(metrics_file), .help = "a file" },
	{ .key = "log", .type = CONFIG_WORD, .words = log_words,
	  OF(log_json), .help = "the form of a message's line" },
	{ .key = "authserv_id", .type = CONFIG_STRING, .max = 255,
	  OF(authserv_id), .help = "the authserv-id of our checkers" },
	{ .key = "authserv_job", .type = CONFIG_BOOLEAN, OF(authserv_job),
	  .help = "whether results must name the queue id" },
	{ .key = "trusted_networks", .type = CONFIG_STRINGS, .max = 1024,
	  OF(trusted_text), COUNT_OF(trusted_text_n),
	  .help = "whose mail is submission" },
	{ .key = "fallback_relays", .type = CONFIG_STRINGS, .max = 1024,
	  OF(relays_text), COUNT_OF(relays_text_n),
	  .help = "relays of ours" },
	{ .key = "concurrency", .type = CONFIG_INTEGER, .min = 1,
	  .max = 1024, .number = 16, OF(concurrency),
	  .help = "evaluations at once" },
	{ .key = "wait", .type = CONFIG_INTEGER, .min = 0, .max = 600,
	  .number = 60, .unit = "seconds", OF(wait),
	  .help = "how long a message waits for its turn" },
	{ .key = "drain", .type = CONFIG_INTEGER, .min = 0, .max = 600,
	  .number = 20, .unit = "seconds", OF(drain),
	  .help = "how long a stop waits for messages" },
	{ .key = "on_failure", .type = CONFIG_OBJECT, .rows = on_failure_rows,
	  .size = TROUBLES * sizeof(int), OF(on_failure),
	  .help = "what failures answer" },
	{ .key = "analyses", .type = CONFIG_LIST, .max = 256,
	  .rows = analysis_rows, .size = sizeof(struct analysis_settings),
	  OF(analyses), COUNT_OF(analyses_n),
	  .help = "verdicts of earlier milters" },
	{ .key = "targets", .type = CONFIG_LIST, .max = 1024,
	  .rows = target_rows, .size = sizeof(struct target_settings),
	  OF(targets), COUNT_OF(targets_n),
	  .help = "what becomes of targets at AWS" },
	{ .key = "archive", .type = CONFIG_OBJECT, .rows = archive_rows,
	  .size = sizeof(struct archive_settings), OF(archive),
	  .help = "what is archived, and where" },
	{ .key = "address_lists", .type = CONFIG_LIST, .max = 256,
	  .rows = list_rows, .size = sizeof(struct list_settings),
	  OF(lists), COUNT_OF(lists_n), .help = "address lists" },
	{ .key = "documents", .type = CONFIG_STRINGS, .max = 256,
	  OF(documents), COUNT_OF(documents_n),
	  .help = "files of relays and archives" },
	{ .key = "ingress_points", .type = CONFIG_LIST, .max = 64,
	  .rows = ingress_rows, .size = sizeof(struct ingress_settings),
	  OF(ingresses), COUNT_OF(ingresses_n),
	  .help = "where mail comes in" },
	{ .key = NULL }
};

/* The order is that of sync/settings.c, so that both say the same of a key
 * that neither knows. */
struct top {
	struct filter_settings *milter;
};

static const struct config_row top_rows[] = {
	{ .key = "state_dir", .type = CONFIG_FOREIGN },
	{ .key = "engine_user", .type = CONFIG_FOREIGN },
	{ .key = "sources", .type = CONFIG_FOREIGN },
	{ .key = "milter", .type = CONFIG_OBJECT, .rows = milter_rows,
	  .size = sizeof(struct filter_settings),
	  .offset = offsetof(struct top, milter),
	  .help = "what fallbackmx-milter does" },
	{ .key = NULL }
};

int
filter_settings_parse(struct filter_settings *s, const char *name,
		      const char *text, size_t len, struct buf *mistakes,
		      struct err *e)
{
	char shown[320];
	struct config_mistakes m = { .lines = mistakes };
	struct arena a = { 0 };
	struct top top = { 0 };

	*s = (struct filter_settings){ 0 };
	m.file = text_quote(shown, sizeof(shown), name, strlen(name));
	config_read(text, len, top_rows, &top, &a, &m);
	if (top.milter != NULL)
		*s = *top.milter;
	else
		config_read("{}", 2, milter_rows, s, &a, &m);
	s->given = top.milter != NULL;
	s->arena = a;
	if (s->archive == NULL) {
		s->archive = arena_alloc(&s->arena, sizeof(*s->archive));
		config_read("{}", 2, archive_rows, s->archive, &s->arena, &m);
	}
	filter_settings_check(s, &m);
	if (m.n == 0)
		return 0;
	filter_settings_free(s);
	return err_stop(e, EX_CONFIG, "cannot use %s: %zu mistake%s", m.file,
			m.n, text_s(m.n));
}

int
filter_settings_read(struct filter_settings *s, const char *file,
		     struct buf *mistakes, struct err *e)
{
	struct buf text;
	int ret;

	*s = (struct filter_settings){ 0 };
	buf_init(&text, CONFIG_MAX + 1);
	ret = config_read_file(file, &text, e);
	if (ret == 0)
		ret = filter_settings_parse(s, file, text.data ? text.data : "",
					    text.len, mistakes, e);
	buf_free(&text);
	return ret;
}

int
filter_settings_control(struct filter_settings *s, const char *file,
			bool may_miss, struct err *e)
{
	struct buf text, lines;
	struct config_mistakes m = { .file = "", .lines = &lines };
	struct top top = { 0 };
	int ret;

	*s = (struct filter_settings){ 0 };
	buf_init(&text, CONFIG_MAX + 1);
	buf_init(&lines, CONFIG_MAX);
	config_read("{}", 2, milter_rows, s, &s->arena, &m);
	if (may_miss && access(file, F_OK) < 0 && errno == ENOENT)
		return 0;
	ret = config_read_file(file, &text, e);
	if (ret == 0)
		config_read(text.data ? text.data : "", text.len, top_rows,
			    &top, &s->arena, &m);
	if (top.milter != NULL && top.milter->control_socket != NULL)
		s->control_socket = top.milter->control_socket;
	buf_free(&text);
	buf_free(&lines);
	return ret;
}

json_t *
filter_settings_json(const struct filter_settings *s)
{
	return config_json(milter_rows, s);
}

void
filter_settings_free(struct filter_settings *s)
{
	arena_free(&s->arena);
	*s = (struct filter_settings){ 0 };
}
