#include <config.h>

#include <stdio.h>
#include <string.h>

#include "lib/mail/decode.h"
#include "lib/mail/head.h"
#include "lib/mail/mime.h"
#include "mail-show.h"
#include "safe.h"

struct showing {
	const char *whole;
	size_t room;		/* bytes of text that may still be shown */
	bool text;		/* what was shown last is text ... */
	bool texts;		/* ... and so was something */
	bool parts;		/* something was shown */
};

static void
print_header(const struct head *h, const char *whole, struct arena *a)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct head_field *f = &h->fields[i];

		safe_write(stdout, f->name, f->name_n, false);
		printf(": ");
		safe_text(stdout, decode_text(head_value(f, a), a));
		putchar('\n');
	}
	if (h->limits)
		printf("[more of the header: %s]\n", whole);
}

static void
print_lines(const char *text, size_t n)
{
	safe_write(stdout, text, n, true);
	if (n > 0 && text[n - 1] != '\n')
		putchar('\n');
}

static void
print_text(struct showing *s, const struct mime_part *p)
{
	struct buf bytes, text;
	size_t all;

	buf_init(&bytes, s->room);
	all = mime_decode(p, &bytes);
	buf_init(&text, 4 * bytes.len);
	if (s->parts)
		putchar('\n');
	s->text = s->texts = s->parts = true;
	if (*p->charset != '\0' && bytes.len > 0 &&
	    decode_charset(p->charset, bytes.data, bytes.len, &text))
		print_lines(text.data, text.len);
	else
		print_lines(bytes.data, bytes.len);
	if (all > bytes.len)
		printf("[%zu bytes more: %s]\n", all - bytes.len, s->whole);
	s->room -= bytes.len;
	buf_free(&bytes);
	buf_free(&text);
}

static void
print_what_it_is(struct showing *s, const struct mime_part *p)
{
	struct buf none;

	if (s->text)
		putchar('\n');
	s->text = false;
	s->parts = true;
	buf_init(&none, 0);
	printf("[%s", p->type);
	if (*p->name != '\0') {
		printf(" \"");
		safe_text(stdout, p->name);
		putchar('"');
	}
	printf(", %zu bytes]\n", mime_decode(p, &none));
}

/* A multipart is a part when it could not be cut. */
static bool
is_text(const struct mime_part *p)
{
	return (strcmp(p->type, "text/plain") == 0 && !p->attachment) ||
	       strncmp(p->type, "multipart/", 10) == 0;
}

void
mail_show(const char *mail, size_t n, const char *whole)
{
	struct showing s = { .whole = whole, .room = MAIL_SHOW_MAX };
	struct arena a = { NULL };
	struct head h;
	struct mime m;

	decode_init();
	head_read(&h, mail, n, &a);
	print_header(&h, whole, &a);
	putchar('\n');
	mime_read(&m, mail, n, &a);
	/* Without any field it is no mail: nothing of it is a header. */
	if (h.n == 0)
		m.all[0] = (struct mime_part){
			.type = "text/plain", .charset = "",
			.body = mail, .body_n = n,
		};
	for (size_t i = 0; i < m.n; i++)
		if (is_text(&m.all[i]))
			print_text(&s, &m.all[i]);
		else
			print_what_it_is(&s, &m.all[i]);
	if (!s.texts)
		printf("[no plain text: %s]\n", whole);
	if (m.limits)
		printf("[more parts: %s]\n", whole);
	arena_free(&a);
}
