#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "check-archive.h"
#include "cmd.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "milter/snapshot.h"
#include "sync/settings.h"

#define INSTEAD "--config names it"

enum deed { CHECK, SHOW };

struct arguments {
	const char *config;
	enum deed deed;
};

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  .offset = offsetof(struct arguments, config),
	  .help = "the configuration [" CMD_CONFIG_FILE "]" },
	{ .name = NULL }
};

/* Both halves of the file: what sync reads and what the milter reads. */
struct halves {
	struct settings sync;
	struct filter_settings milter;
};

/* The milter's half; to check it, with all documents that it names. */
static int
read_milter(struct filter_settings *m, const char *file, enum deed deed,
	    struct buf *lines, struct err *e)
{
	struct snapshot *loaded;
	struct buf warnings;
	struct err unusable;
	const char *remedy;

	if (filter_settings_read(m, file, lines, e) < 0)
		return -1;
	if (deed != CHECK || !m->given)
		return 0;
	buf_init(&warnings, CMD_MISTAKES_MAX);
	loaded = snapshot_load(file, lines, &warnings, e);
	cmd_say_lines(&warnings);
	buf_free(&warnings);
	/* It may be a draft, or another machine's. */
	if (loaded != NULL && check_archive(loaded, &remedy, &unusable) < 0)
		log_say("warning: %s - %s", unusable.text, remedy);
	snapshot_drop(loaded);
	return loaded ? 0 : -1;
}

/* Both read the whole file, so what is wrong with it they both say. */
static int
read_halves(struct halves *h, const char *file, enum deed deed, struct err *e)
{
	struct buf lines, more;
	struct err e2;
	int ret;

	buf_init(&lines, CMD_MISTAKES_MAX);
	buf_init(&more, CMD_MISTAKES_MAX);
	ret = settings_read(&h->sync, file, &lines, e);
	if ((ret == 0 || lines.len > 0) &&
	    read_milter(&h->milter, file, deed, &more, &e2) < 0) {
		if (ret == 0)
			*e = e2;
		ret = -1;
	}
	config_add_lines(&lines, &more);
	if (ret < 0 && lines.len > 0) {
		size_t n = 0;

		for (size_t i = 0; i < lines.len; i++)
			n += lines.data[i] == '\n';
		err_stop(e, EX_CONFIG, "cannot use %s: %zu mistake%s",
			 text_show(file), n, text_s(n));
	}
	cmd_say_lines(&lines);
	buf_free(&lines);
	buf_free(&more);
	return ret;
}

static void
print_settings(const struct halves *h)
{
	json_t *top = settings_json(&h->sync);

	if (h->milter.given)
		json_object_set_new(top, "milter",
				    filter_settings_json(&h->milter));
	json_dumpf(top, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(top);
}

static void
print_verdict(const struct halves *h, const char *file)
{
	size_t lines = 0;

	for (size_t i = 0; i < h->sync.sources_n; i++)
		lines += h->sync.sources[i].routes_n;
	printf("%s: no mistakes; sources=%zu mailboxes=%zu", text_show(file),
	       h->sync.sources_n, lines);
	if (h->milter.given)
		printf(" ingress_points=%zu", h->milter.ingresses_n);
	putchar('\n');
}

static int
run_config(void *arguments, int n, char **words, struct err *e)
{
	const struct arguments *a = arguments;
	const char *file = a->config ? a->config : CMD_CONFIG_FILE;
	struct halves h = { 0 };
	int ret = read_halves(&h, file, a->deed, e);

	(void)n, (void)words;
	if (ret < 0)
		cmd_explain_missing(a->config, e);
	if (ret == 0)
		ret = settings_state_dir(&h.sync, NULL, e);
	if (ret == 0 && a->deed == SHOW)
		print_settings(&h);
	else if (ret == 0)
		print_verdict(&h, file);
	settings_free(&h.sync);
	filter_settings_free(&h.milter);
	return ret;
}

static struct arguments checked = { .deed = CHECK };
const struct command cmd_config_check = {
	.name = "config check",
	.brief = "name every mistake of it and of its policies",
	.synopsis = "[options]",
	.about = "Names every mistake of the configuration and of its "
		 "policies.",
	.rows = rows,
	.arguments = &checked,
	.run = run_config,
	.instead = INSTEAD,
};

static struct arguments shown = { .deed = SHOW };
const struct command cmd_config_show = {
	.name = "config show",
	.brief = "print the settings in force",
	.synopsis = "[options]",
	.about = "Prints the settings in force, defaults included.",
	.rows = rows,
	.arguments = &shown,
	.run = run_config,
	.instead = INSTEAD,
};
