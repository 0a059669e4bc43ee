#include <config.h>

#include <limits.h>
#include <stdlib.h>

#include "control.h"
#include "lib/base/config.h"

static const char *const words[] = {
	[CONTROL_ERASE] = "erase", [CONTROL_PRUNE] = "prune",
	[CONTROL_RETENTION] = "retention", NULL
};

#define SEGMENT(field) .offset = offsetof(struct control_segment, field)

static const struct config_row segment_rows[] = {
	{ .key = "segment", .type = CONFIG_INTEGER, .required = true,
	  SEGMENT(number), .help = "a number", .min = 1, .max = INT_MAX },
	{ .key = "records", .type = CONFIG_INTEGER, SEGMENT(records),
	  .help = "a number", .min = 0, .max = INT_MAX },
	{ .key = "end", .type = CONFIG_INTEGER, .required = true, SEGMENT(end),
	  .help = "an offset", .min = 0, .max = INT_MAX },
	{ .key = "chain", .type = CONFIG_STRING, .required = true,
	  SEGMENT(chain), .help = "a hash" },
	{ .key = "first", .type = CONFIG_STRING, SEGMENT(first),
	  .help = "a time" },
	{ .key = "last", .type = CONFIG_STRING, SEGMENT(last),
	  .help = "a time" },
	{ .key = NULL }
};

#define CONTROL(field) .offset = offsetof(struct control, field)

static const struct config_row rows[] = {
	{ .key = "control", .type = CONFIG_WORD, .required = true,
	  CONTROL(word), .help = "what was done", .words = words },
	{ .key = "uid", .type = CONFIG_INTEGER, CONTROL(uid),
	  .help = "a user", .min = -1, .max = INT_MAX },
	{ .key = "id", .type = CONFIG_STRING, CONTROL(id), .help = "an id" },
	{ .key = "sha256", .type = CONFIG_STRING, CONTROL(sha256),
	  .help = "a hash" },
	{ .key = "reason", .type = CONFIG_STRING, CONTROL(reason),
	  .help = "a reason" },
	{ .key = "retention", .type = CONFIG_STRING, CONTROL(retention),
	  .help = "how long mail is kept" },
	{ .key = "segments", .type = CONFIG_LIST, CONTROL(segments),
	  .help = "segments", .min = 0, .max = INT_MAX, .rows = segment_rows,
	  .size = sizeof(struct control_segment),
	  .count = offsetof(struct control, n) },
	{ .key = NULL }
};

char *
control_print(const struct control *c)
{
	json_t *object = config_json(rows, c);
	char *text;

	if (c->n == 0)
		json_object_del(object, "segments");
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL)
		abort();
	return text;
}

int
control_read(const char *text, size_t n, struct control *c_r, struct arena *a,
	     struct err *e)
{
	struct buf lines;
	struct config_mistakes m = { .file = "control", .lines = &lines };
	int ret = 0;

	*c_r = (struct control){ .n = 0 };
	buf_init(&lines, 1024);
	config_read(text, n, rows, c_r, a, &m);
	if (m.n > 0)
		ret = err_set(e, ERR_PERM, "cannot understand a control "
			      "record");
	buf_free(&lines);
	return ret;
}
