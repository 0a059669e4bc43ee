#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "policy-file.h"
#include "input.h"
#include "lib/base/arena.h"
#include "lib/mail/decode.h"
#include "policy/verdict-json.h"
#include "policy/verdict.h"
#include "session.h"
#include "verdict-show.h"

/* Larger than what mail servers take; it bounds the memory. */
#define MESSAGE_MAX ((size_t)134217728)
#define WARNED_MAX ((size_t)262144)

struct arguments {
	struct session_options session;
	struct option_list address_list;
	const char *traffic_policy, *rule_set;
	bool json;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "traffic-policy", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(traffic_policy), .help = "who may send at all" },
	{ .name = "rule-set", .argument = "FILE", .kind = OPTION_STRING,
	  FIELD(rule_set), .help = "what is done with the mail" },
	{ .name = "address-list", .argument = "NAME=FILE",
	  .kind = OPTION_LIST, FIELD(address_list),
	  .help = "the entries of a list that conditions name" },
	{ .name = "client-ip", .argument = "IP", .kind = OPTION_STRING,
	  FIELD(session.client_ip), .help = "who connected" },
	{ .name = "helo", .argument = "NAME", .kind = OPTION_STRING,
	  FIELD(session.helo), .help = "what the client called itself" },
	{ .name = "mail-from", .argument = "ADDRESS", .kind = OPTION_STRING,
	  FIELD(session.mail_from), .help = "the envelope's sender, or <>" },
	{ .name = "rcpt", .argument = "ADDRESS", .kind = OPTION_LIST,
	  FIELD(session.rcpt), .help = "a recipient of the envelope" },
	{ .name = "tls-version", .argument = "VERSION",
	  .kind = OPTION_STRING, FIELD(session.tls_version),
	  .help = "TLSv1.3, TLSv1.2, TLSv1.1, TLSv1 or none" },
	{ .name = "tls-wrapped", FIELD(session.tls_wrapped),
	  .help = "TLS came before SMTP, as on port 465" },
	{ .name = "auth-user", .argument = "USER", .kind = OPTION_STRING,
	  FIELD(session.auth_user), .help = "who logged in" },
	{ .name = "cert-cn", .argument = "NAME", .kind = OPTION_STRING,
	  FIELD(session.cert_cn), .help = "CN of the client's certificate" },
	{ .name = "authserv-id", .argument = "ID", .kind = OPTION_STRING,
	  FIELD(session.authserv_id),
	  .help = "whose Authentication-Results to believe [nobody's]" },
	{ .name = "analysis", .argument = "NAME.FIELD=VALUE",
	  .kind = OPTION_LIST, FIELD(session.analysis),
	  .help = "what an analyzer found" },
	{ .name = "json", FIELD(json),
	  .help = "print one line for each message, for programs" },
	{ .name = NULL }
};

static size_t
count_standard(const struct arguments *a, int n, char **files)
{
	size_t count = input_count_standard(files, (size_t)n) +
		policy_file_count_standard(&a->address_list);

	count += a->traffic_policy && strcmp(a->traffic_policy, "-") == 0;
	count += a->rule_set && strcmp(a->rule_set, "-") == 0;
	return count;
}

static int
check_arguments(const struct arguments *a, int n, char **files, struct err *e)
{
	if (n == 0)
		return err_stop(e, EX_USAGE, "cannot test: expected MESSAGE, "
				"a file with a mail, or - for standard input");
	if (a->traffic_policy == NULL && a->rule_set == NULL)
		return err_stop(e, EX_USAGE, "cannot test: expected "
				"--traffic-policy, --rule-set or both");
	if (count_standard(a, n, files) > 1)
		return err_stop(e, EX_USAGE, "cannot test: standard input can "
				"be read only once");
	return 0;
}

static int
add_file(struct policy *p, const char *file, enum policy_kind kind,
	 struct err *e)
{
	return file ? policy_file_load(p, file, kind, NULL, e) : 0;
}

/* Reads on after a failure, so that the mistakes of all of them are told.
 * Returns the exit code. */
static int
read_policy(struct policy *p, const struct arguments *a)
{
	struct err e;
	int code = EX_OK;

	code = cmd_go_on(code, add_file(p, a->traffic_policy, POLICY_TRAFFIC,
					&e), &e);
	code = cmd_go_on(code, add_file(p, a->rule_set, POLICY_RULE_SET, &e),
			 &e);
	code = cmd_go_on(code, policy_file_add_lists(p, &a->address_list, &e),
			 &e);
	if (code == EX_OK)
		policy_file_warn_facts(p);
	return code;
}

/* All messages are tried on the same. */
struct test {
	const struct policy *p;
	const struct session *given;
	bool json, shown;	/* shown: a message before this one */
	struct buf warned;	/* lines, each said once */
};

static void
print_json(const char *file, const struct verdict *v)
{
	struct buf line;

	buf_init(&line, SIZE_MAX / 2);
	verdict_json(&line, file, v);
	puts(line.data);
	buf_free(&line);
}

static void
show_verdict(struct test *t, const struct session *s, const char *file,
	     struct arena *memory)
{
	struct verdict v;

	verdict_make(t->p, &s->facts, t->json ? 0 : VERDICT_FULL, &v, memory);
	policy_file_warn_targets(t->p, &v, &t->warned);
	if (t->json)
		print_json(file, &v);
	else {
		if (t->shown)
			putchar('\n');
		verdict_explain(file, s, &v, memory);
	}
	t->shown = true;
}

static int
test_message(struct test *t, const char *file, struct err *e)
{
	struct arena memory = { NULL };
	struct session s;
	struct buf text;
	int ret;

	ret = input_read(file, MESSAGE_MAX, &text, e);
	if (ret == 0) {
		ret = session_read(t->given, text.data, text.len, &s, &memory,
				   e);
		if (ret < 0)
			err_prefix(e, "cannot test %s", input_name(file));
	}
	if (ret == 0)
		show_verdict(t, &s, file, &memory);
	fflush(stdout);		/* what is wrong with others goes to stderr */
	arena_free(&memory);
	buf_free(&text);
	return ret;
}

/* A message that cannot be tested does not stop the others. */
static int
test_all(struct test *t, char **files, int n)
{
	int code = EX_OK;
	struct err e;

	buf_init(&t->warned, WARNED_MAX);
	for (int i = 0; i < n; i++)
		code = cmd_go_on(code, test_message(t, files[i], &e), &e);
	buf_free(&t->warned);
	return code;
}

static int
run_test(void *arguments, int n, char **files, struct err *e)
{
	const struct arguments *a = arguments;
	struct policy *p;
	struct arena memory = { NULL };
	struct session given;
	int code;

	if (check_arguments(a, n, files, e) < 0)
		return -1;
	decode_init();
	p = policy_new();
	code = session_given(&a->session, &given, &memory, e);
	if (code == 0)
		code = read_policy(p, a);
	if (code == EX_OK)
		code = test_all(&(struct test){ .p = p, .given = &given,
						.json = a->json }, files, n);
	arena_free(&memory);
	policy_free(p);
	return code;
}

static struct arguments given;
const struct command cmd_policy_test = {
	.name = "policy test",
	.brief = "try a policy on mail: what would be done, and why",
	.synopsis = "[options] MESSAGE...",
	.about = "Says what a policy does with each MESSAGE, a file or \"-\", "
		 "and why. Nothing is\ndone. What the options leave open is "
		 "read from the message, where it can be\nbelieved, and is "
		 "not known otherwise.",
	.rows = rows,
	.arguments = &given,
	.run = run_test,
};
