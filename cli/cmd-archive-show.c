#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archive-select.h"
#include "cmd.h"
#include "lib/base/text.h"
#include "mail-show.h"
#include "safe.h"

struct arguments {
	const char *archive;
	int (*each)(void *to, struct selected *x, struct err *e);
	bool json;
};

static const struct option_row show_rows[] = {
	ARCHIVES_ROW(struct arguments),
	{ .name = "json", .offset = offsetof(struct arguments, json),
	  .help = "what is known of it, without the message" },
	{ .name = NULL }
};
static const struct option_row cat_rows[] = {
	ARCHIVES_ROW(struct arguments),
	{ .name = NULL }
};

/* "Name: text", or nothing. */
static void
print_value(const char *name, const json_t *value)
{
	const char *s = select_text(value);

	if (*s == '\0')
		return;
	printf("%-10s", name);
	safe_text(stdout, s);
	putchar('\n');
}

static void
print_compact(const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	safe_text(stdout, name);
	printf("%*s", strlen(name) < 10 ? (int)(10 - strlen(name)) : 1, "");
	if (text != NULL)
		safe_write(stdout, text, strlen(text), true);
	putchar('\n');
	free(text);
}

static void
print_address(const char *name, const json_t *who)
{
	const json_t *parameters = json_object_get(who, "parameters");
	json_t *p;
	size_t i;

	printf("%-10s<", name);
	safe_text(stdout, select_text(json_object_get(who, "address")));
	putchar('>');
	json_array_foreach(parameters, i, p) {
		putchar(' ');
		safe_text(stdout, select_text(p));
	}
	putchar('\n');
}

static void
print_envelope(const json_t *envelope)
{
	json_t *to;
	size_t i;

	print_address("From", json_object_get(envelope, "from"));
	json_array_foreach(json_object_get(envelope, "recipients"), i, to)
		print_address("To", to);
}

/* What the milter wrote down; what is not known here as it stands. */
static void
print_metadata(json_t *metadata)
{
	const char *key;
	json_t *value, *line;
	size_t i;

	print_value("Queue id", json_object_get(metadata, "queue_id"));
	print_value("Helo", json_object_get(metadata, "helo"));
	if (json_object_get(metadata, "envelope") != NULL)
		print_envelope(json_object_get(metadata, "envelope"));
	json_array_foreach(json_object_get(metadata, "trail"), i, line)
		print_value(i == 0 ? "Why" : "", line);
	json_object_foreach(metadata, key, value) {
		if (strcmp(key, "queue_id") == 0 || strcmp(key, "helo") == 0 ||
		    strcmp(key, "envelope") == 0 || strcmp(key, "trail") == 0)
			continue;
		print_compact(key, value);
	}
}

static void
print_record(const struct selected *x)
{
	const struct format_record *r = x->r;
	char time[24], sha256[2 * HASH_SIZE + 1], first[FORMAT_ID_SIZE];

	select_time(r->time_us, time);
	text_hex(sha256, r->payload_hash, HASH_SIZE);
	format_id(r->first, first);
	printf("Id        %s\nArchived  %s\n", x->id, time);
	if (r->type != FORMAT_CONTROL)
		printf("Size      %" PRIu64 "\nSHA-256   %s\n", r->raw_n,
		       sha256);
	if (r->first.segment != 0)
		printf("Again     %s\n", first);
	if (r->state == FORMAT_ERASED)
		printf("Erased    header and text are gone\n");
	print_metadata(x->metadata);
}

static void
write_piece(void *to, const void *data, size_t n)
{
	fwrite(data, 1, n, to);
}

static void
keep_piece(void *to, const void *data, size_t n)
{
	buf_add(to, data, n);
}

/* To the end, so that the hash is checked: whatever fails, its pieces until
 * then were taken. */
static int
read_payload(struct selected *x,
	     void (*take)(void *to, const void *data, size_t n), void *to,
	     struct err *e)
{
	struct payload_reader *p = archive_payload(x->a, x->r, e);
	const void *data;
	ssize_t n = -1;

	while (p != NULL && (n = payload_next(p, &data, e)) > 0)
		take(to, data, (size_t)n);
	payload_close(p);
	if (n < 0 && e->kind != ERR_STOP) {
		e->kind = ERR_STOP;
		e->code = EX_DATAERR;
		err_prefix(e, "what was printed is not the message");
	}
	if (n < 0)
		err_prefix(e, "cannot read %s", x->id);
	return n < 0 ? -1 : 0;
}

static int
show_mail(struct selected *x, struct err *e)
{
	struct arena a = { NULL };
	struct buf mail;
	int ret;

	buf_init(&mail, (size_t)x->r->raw_n);
	ret = read_payload(x, keep_piece, &mail, e);
	if (mail.len > 0)
		mail_show(mail.data, mail.len, arena_printf(
			&a, "fallbackmx archive cat %s", x->id));
	buf_free(&mail);
	arena_free(&a);
	return ret;
}

static int
show_one(void *to, struct selected *x, struct err *e)
{
	const struct arguments *a = to;

	if (a->json) {
		select_print_json(select_json(x));
		return 0;
	}
	print_record(x);
	if (x->r->type == FORMAT_CONTROL || x->r->state == FORMAT_ERASED)
		return 0;
	putchar('\n');
	return show_mail(x, e);
}

static int
cat_one(void *to, struct selected *x, struct err *e)
{
	(void)to;
	return read_payload(x, write_piece, stdout, e);
}

static int
each_id(void *arguments, int n, char **ids, struct err *e)
{
	struct arguments *a = arguments;
	const struct select_work work = { .each = a->each, .to = a };
	struct archives s;
	int code = EX_OK;

	if (n == 0)
		return err_stop(e, EX_USAGE, "cannot run archive %s: expected "
				"ID", a->each == show_one ? "show" : "cat");
	if (archives_open(&s, a->archive, e) < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (i > 0 && a->each == show_one && !a->json)
			printf("\n");
		code = cmd_go_on(code, select_one(&s, ids[i], &work, e), e);
	}
	archives_free(&s);
	return code;
}

static struct arguments shown = { .each = show_one };
const struct command cmd_archive_show = {
	.name = "archive show",
	.brief = "one message: envelope, why it is here, header, text",
	.synopsis = "[options] ID...",
	.about = "Shows messages: when and from whom they came, why they were "
		 "archived,\nheader and text. Nothing in them reaches the "
		 "terminal but plain text.",
	.rows = show_rows,
	.arguments = &shown,
	.run = each_id,
};

static struct arguments written = { .each = cat_one };
const struct command cmd_archive_cat = {
	.name = "archive cat",
	.brief = "the bytes of one message",
	.synopsis = "[options] ID...",
	.about = "Writes the bytes of messages to standard output, as the "
		 "milter had them.",
	.rows = cat_rows,
	.arguments = &written,
	.run = each_id,
};
