/*
 * headers - what lib/mail reads in the headers of messages, for corpora.py.
 *
 * Reads paths from standard input, one a line, and writes a line of JSON for
 * each: {"fields": [[name, decoded text, addresses or null, malformed]...],
 * "size": n, "limits": false}, or null for a file that cannot be read.
 */
#include <config.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mail/address.h"
#include "lib/mail/decode.h"
#include "lib/mail/head.h"

#define MESSAGE_MAX ((size_t)64 << 20)

static bool
has_addresses(const struct head_field *f)
{
	static const char *const names[] = {
		"From", "To", "Cc", "Bcc", "Sender", "Reply-To",
		"Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (head_is(f, names[i]))
			return true;
	return false;
}

static json_t *
field_json(const struct head_field *f, struct arena *a)
{
	const char *value = head_value(f, a);
	json_t *all = json_null();
	struct addresses r = { 0 };

	if (has_addresses(f)) {
		address_read(value, &r, a);
		all = json_array();
		for (size_t i = 0; i < r.n; i++)
			json_array_append_new(all, json_string(r.all[i]));
	}
	return json_pack("[s#, s, o, b]", f->name, (int)f->name_n,
			 decode_text(value, a), all, (int)r.malformed);
}

static json_t *
message_json(const char *text, size_t n)
{
	json_t *fields = json_array();
	struct arena a = { NULL };
	struct head h;

	head_read(&h, text, n, &a);
	for (size_t i = 0; i < h.n; i++)
		json_array_append_new(fields, field_json(&h.fields[i], &a));
	arena_free(&a);
	return json_pack("{s: o, s: I, s: b}", "fields", fields, "size",
			 (json_int_t)h.size, "limits", (int)h.limits);
}

static void
tell(const char *path, char *text)
{
	FILE *f = fopen(path, "rb");
	json_t *j = json_null();
	char *line;

	if (f != NULL) {
		j = message_json(text, fread(text, 1, MESSAGE_MAX, f));
		fclose(f);
	}
	line = json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (line == NULL)
		abort();
	puts(line);
	fflush(stdout);
	free(line);
	json_decref(j);
}

int
main(void)
{
	char *text = malloc(MESSAGE_MAX), *path = NULL;
	size_t room = 0;
	ssize_t n;

	if (text == NULL)
		return 1;
	decode_init();
	while ((n = getline(&path, &room, stdin)) > 0) {
		path[strcspn(path, "\n")] = '\0';
		tell(path, text);
	}
	free(path);
	free(text);
	return 0;
}
