#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "reload.h"
#include "snapshot.h"

/* Sockets are opened once. */
static void
tell_fixed(const struct snapshot *before, const struct snapshot *now,
	   struct buf *lines)
{
	const struct filter_settings *a = &before->settings;
	const struct filter_settings *b = &now->settings;
	const struct {
		const char *key, *before, *now;
	} fixed[] = {
		{ "socket", a->socket, b->socket },
		{ "socket_group", a->socket_group, b->socket_group },
		{ "control_socket", a->control_socket, b->control_socket },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(fixed[i].before, fixed[i].now) != 0)
			buf_printf(lines, "warning: milter.%s was changed; a "
				   "restart is needed for that\n",
				   fixed[i].key);
}

static void
log_lines(const struct buf *lines, int code)
{
	const char *line = lines->data;

	while (line != NULL && *line != '\0') {
		const size_t n = strcspn(line, "\n");

		/* The last one says that all is well. */
		if (code == EX_OK && line[n] == '\n' && line[n + 1] == '\0')
			log_info("%.*s", (int)n, line);
		else
			log_problem("%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

int
reload(const char *file, struct buf *lines)
{
	struct snapshot *before = snapshot_hold(), *now;
	struct err e;
	int code = EX_OK;

	if (snapshot_reload(file, lines, &e) < 0) {
		code = e.code != 0 ? e.code : EX_TEMPFAIL;
		buf_printf(lines, "cannot reload: %s%s\n", e.text, before ?
			   "; the configuration before stays in force" : "");
	} else {
		now = snapshot_hold();
		if (before != NULL)
			tell_fixed(before, now, lines);
		buf_printf(lines, "configuration %u is in force\n",
			   now->generation);
		snapshot_drop(now);
	}
	snapshot_drop(before);
	log_lines(lines, code);
	return code;
}
