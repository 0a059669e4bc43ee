#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd.h"
#include "lib/base/option.h"
#include "lib/base/text.h"
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
	"check  names every mistake of the configuration\n"
	"show   prints the settings in force, defaults included";

enum action { CHECK, SHOW, ACTIONS };
static const char *const actions[ACTIONS + 1] = { "check", "show", NULL };

static int
find_action(int argc, char **argv, int first, struct err *e)
{
	const char *near;
	int i = 0;

	if (argc - first != 1)
		return err_stop(e, EX_USAGE, "cannot run config: expected "
				"check or show");
	while (i < ACTIONS && strcmp(argv[first], actions[i]) != 0)
		i++;
	if (i < ACTIONS)
		return i;
	near = text_nearest(argv[first], actions);
	return err_stop(e, EX_USAGE, "cannot run config %s: expected check or "
			"show%s%s%s", text_show(argv[first]),
			near ? " (did you mean " : "", near ? near : "",
			near ? "?)" : "");
}

static void
print_verdict(const struct settings *s, const char *file)
{
	size_t lines = 0;

	for (size_t i = 0; i < s->sources_n; i++)
		lines += s->sources[i].routes_n;
	printf("%s: no mistakes; sources=%zu mailboxes=%zu\n", text_show(file),
	       s->sources_n, lines);
}

static int
run_config(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct settings s = { 0 };
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
	ret = cmd_read_settings(&s, a.config, &e);
	if (ret == 0)
		ret = settings_state_dir(&s, NULL, &e);
	if (ret == 0 && action == SHOW)
		settings_print(&s);
	else if (ret == 0)
		print_verdict(&s, a.config ? a.config : CMD_CONFIG_FILE);
	settings_free(&s);
	return ret < 0 ? cmd_fail(&e, "config") : EX_OK;
}

const struct command cmd_config = {
	"config", "check the configuration, or show the settings in force",
	run_config
};
