#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/base/option.h"
#include "lib/base/text.h"
#include "milter/snapshot.h"
#include "sync/settings.h"

struct arguments {
	const char *config;
	bool help;
};

static const struct option_row rows[] = {
	{ .name = "config", .argument = "FILE", .kind = OPTION_STRING,
	  .offset = offsetof(struct arguments, config),
	  .help = "the configuration [" CMD_CONFIG_FILE "]" },
	{ .name = "help", .offset = offsetof(struct arguments, help),
	  .help = "print this and end" },
	{ .name = NULL }
};

static const char synopsis[] = "fallbackmx config check|show [options]";
static const char about[] =
	"check  names every mistake of the configuration and of its policies\n"
	"show   prints the settings in force, defaults included";

enum deed { CHECK, SHOW, DEEDS };
static const char *const actions[DEEDS + 1] = { "check", "show", NULL };

static int
find_action(int argc, char **argv, int first, struct err *e)
{
	const char *near;
	int i = 0;

	if (argc - first != 1)
		return err_stop(e, EX_USAGE, "cannot run config: expected "
				"check or show");
	while (i < DEEDS && strcmp(argv[first], actions[i]) != 0)
		i++;
	if (i < DEEDS)
		return i;
	near = text_nearest(argv[first], actions);
	return err_stop(e, EX_USAGE, "cannot run config %s: expected check or "
			"show%s%s%s", text_show(argv[first]),
			near ? " (did you mean " : "", near ? near : "",
			near ? "?)" : "");
}

/* Both halves of the file: what sync reads and what the milter reads. */
struct halves {
	struct settings sync;
	struct filter_settings milter;
};

/* The milter's half; to check it, with all documents that it names. */
static int
read_milter(struct filter_settings *m, const char *file, int action,
	    struct buf *lines, struct err *e)
{
	struct snapshot *loaded;
	struct buf warnings;

	if (filter_settings_read(m, file, lines, e) < 0)
		return -1;
	if (action != CHECK || !m->given)
		return 0;
	buf_init(&warnings, CMD_MISTAKES_MAX);
	loaded = snapshot_load(file, lines, &warnings, e);
	cmd_say_lines(&warnings);
	buf_free(&warnings);
	snapshot_drop(loaded);
	return loaded ? 0 : -1;
}

/* Both read the whole file, so what is wrong with it they both say. */
static int
read_halves(struct halves *h, const char *file, int action, struct err *e)
{
	struct buf lines, more;
	struct err e2;
	int ret;

	buf_init(&lines, CMD_MISTAKES_MAX);
	buf_init(&more, CMD_MISTAKES_MAX);
	ret = settings_read(&h->sync, file, &lines, e);
	if ((ret == 0 || lines.len > 0) &&
	    read_milter(&h->milter, file, action, &more, &e2) < 0) {
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
			 text_show(file), n, n == 1 ? "" : "s");
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
run_config(int argc, char **argv)
{
	struct arguments a = { 0 };
	const char *file;
	struct halves h = { 0 };
	struct err e;
	int first, action, ret;

	if (option_parse(rows, &a, argc, argv, &first, &e) < 0)
		return cmd_fail(&e, "config");
	if (a.help) {
		option_help(stdout, synopsis, about, rows);
		return EX_OK;
	}
	action = find_action(argc, argv, first, &e);
	if (action < 0)
		return cmd_fail(&e, "config");
	file = a.config ? a.config : CMD_CONFIG_FILE;
	ret = read_halves(&h, file, action, &e);
	if (ret < 0)
		cmd_explain_missing(a.config, &e);
	if (ret == 0)
		ret = settings_state_dir(&h.sync, NULL, &e);
	if (ret == 0 && action == SHOW)
		print_settings(&h);
	else if (ret == 0)
		print_verdict(&h, file);
	settings_free(&h.sync);
	filter_settings_free(&h.milter);
	return ret < 0 ? cmd_fail(&e, "config") : EX_OK;
}

const struct command cmd_config = {
	"config", "check the configuration, or show the settings in force",
	run_config
};
