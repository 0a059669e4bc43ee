#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "sync/recipients.h"

static const char document[] =
	"{\"sources\": ["
	"{\"url\": \"file:///a/\", \"mailboxes\": ["
	"{\"prefix\": \"in/alice/\", \"maildir\": \"/m/alice\"},"
	"{\"prefix\": \"in/{user}/\", \"maildir\": \"{home}/Maildir\"},"
	"{\"prefix\": \"in/\", \"maildir\": \"/m/in\"}]},"
	"{\"url\": \"file:///b/\", \"recipients\": \"received\","
	" \"catch_all\": {\"maildir\": \"/m/all\"}, \"mailboxes\": ["
	"{\"recipient\": \"alice@example.com\", \"maildir\": \"/m/alice\"},"
	"{\"recipient\": \"{user}@example.com\","
	" \"maildir\": \"{home}/Maildir\"}]}]}";

static struct settings *
settings_once(void)
{
	static struct settings s;

	if (s.sources == NULL) {
		struct buf mistakes;
		struct err e;

		buf_init(&mistakes, 4096);
		PROMISE(settings_parse(&s, "f", document, strlen(document),
				       &mistakes, &e) == 0);
		buf_free(&mistakes);
	}
	return &s;
}

static void
targets_ok(const struct source_settings *s, const struct targets *t)
{
	PROMISE(t->n <= TARGETS_MAX);
	for (size_t i = 0; i < t->n; i++) {
		const char *user = t->list[i].user;

		PROMISE(t->list[i].route <= s->routes_n);
		PROMISE(memchr(user, '\0', USER_MAX) != NULL);
		PROMISE(*user != '-' && *user != '.');
		PROMISE(user[strspn(user, "abcdefghijklmnopqrstuvwxyz"
					  "0123456789._-")] == '\0');
	}
}

/* The input is a key for one source and a recipient for the other. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct settings *s = settings_once();
	char *text = malloc(size + 1);
	struct targets t;

	PROMISE(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < s->sources_n; i++) {
		memset(&t, 0xa5, sizeof(t));
		recipients_route(&s->sources[i], text, text, &t);
		targets_ok(&s->sources[i], &t);
	}
	free(text);
	return 0;
}
