/*
 * Hostile headers of n bytes take steps in proportion to n. Who walks back for
 * each of a million places needs hours for one of these shapes; the limit of
 * CPU time, that of a child for all of them, is far from both.
 */
#include <config.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mail/address.h"
#include "lib/mail/authres.h"
#include "lib/mail/decode.h"
#include "lib/mail/mime.h"
#include "lib/mail/relayed.h"
#include "unit.h"

#define SIZE ((size_t)8 << 20)
#define CPU_SECONDS 120

/* Once, then again and again. */
struct shape {
	const char *start, *again;
};

static const struct shape texts[] = {
	{ "", "=?" },
	{ "", "=?a?q?x" },
	{ "", "=?utf-8?q?x" },
	{ "", "=?utf-8?q?x=" },
	{ "", "=?utf-8?q?x?=" },
	{ "", "=?utf-8?q?x?= " },
	{ "", "=?iso-2022-jp?q?x?= =?big5?q?x?= " },
	{ "", "=?iso-2022-jp?b?GyRC?=" },
	{ "=?iso-2022-jp?q?", "\x1b$B" },
	{ "=?utf-8?q?", "=FF" },
	{ "=?utf-7?q?", "+AAA" },
	{ "", "=?no-such?q?x?=" },
	{ "", "=?x=" },
	{ "", "=?a*" },
	{ "", "?=" },
	{ "", "\xc3" },
	{ "", "\xf0\x9f\x98" },
	{ "", " " },
};

static const struct shape lists[] = {
	{ "", "a@b," },
	{ "", "a b," },
	{ "", "," },
	{ "", "," "(" },
	{ "", "(" },
	{ "", "()" },
	{ "a@b", "(" },
	{ "", "a:" },
	{ "", "a:b;" },
	{ "", ";" },
	{ "", "\"" },
	{ "", "\"," },
	{ "", "\"\\" },
	{ "", "<" },
	{ "", "<@" },
	{ "<", "@a," },
	{ "", "<@a," },
	{ "", "<@a,@" },
	{ "", "a." },
	{ "", "a.\"b\"" },
	{ "a@", "b." },
	{ "a@[", "b" },
	{ "", "@" },
	{ "", "a@b>" },
	{ "", "a@b " },
	{ "", "a " },
	{ "", "\xff" },
	{ "a@xn--", "a" },
	{ "a@", "\xcc\x81" },
	{ "", "=?utf-8?q?x?= " },
};

static const struct shape results[] = {
	{ "mx.example; ", "(" },
	{ "mx.example; ", "()" },
	{ "mx.example; ", "(p=" },
	{ "mx.example; dmarc=x ", "(p=x)" },
	{ "mx.example; dmarc=x (", "=" },
	{ "mx.example; dmarc=x (", "p " },
	{ "mx.example; ", ";" },
	{ "mx.example; ", "spf=pass;" },
	{ "mx.example; spf=pass ", "a=b " },
	{ "mx.example; spf=pass a", ".b" },
	{ "mx.example; spf=", "\"" },
	{ "mx.example; spf=", "\"\\\"" },
	{ "mx.example; spf=", "x" },
	{ "", "mx.example; " },
	{ "", "\"" },
	{ "mx.example", "/" },
};

static const struct shape received[] = {
	{ "", "(" },
	{ "from x ", "(" },
	{ "from x ", "()" },
	{ "from x ", "(\\" },
	{ "from x ", "([)" },
	{ "from x ", "(])" },
	{ "from x (", "[" },
	{ "from x ([192.0.2.1]) by x ", "for x " },
	{ "from x ([192.0.2.1]) by x; ", "x " },
	{ "from x ([192.0.2.1]) by x; ", "(" },
	{ "from x ([192.0.2.1]) by ", "x" },
	{ "from x ([192.0.2.1]) by x for ", "\"" },
};

static const struct shape heads[] = {
	{ "", "\n" },
	{ "", "a:\n" },
	{ "", "a" },
	{ "", "a\n" },
	{ "", " " },
	{ "a:", "\n " },
	{ "a:", "\r\n\t" },
	{ "a:", "\r" },
	{ "a:", "\r\r\n " },
	{ "", "To: a@b\n" },
	{ "", "a \n :\n" },
	{ "", ":" },
};

#define MIXED "Content-Type: multipart/mixed; boundary="
static const struct shape mails[] = {
	{ MIXED "b\n\n", "--b\n\n" },
	{ MIXED "b\n\n", "--b" },
	{ MIXED "b\n\n", "--" },
	{ MIXED "b\n\n", "--c\n" },
	{ MIXED "b\n\n--b\n\n", "x\n" },
	{ MIXED "b\n\n", "--b\n" MIXED "b\n\n" },
	{ MIXED "b\n\n", "--b--\n" },
	{ MIXED, "b" },
	{ MIXED "\"", "\\" },
	{ "Content-Type: text/plain", "; name*0=x" },
	{ "Content-Type: text/plain", "; name*0*='" },
	{ "Content-Type: text/plain", ";" },
	{ "Content-Type: text/plain; name*=utf-8''", "%C3" },
	{ "Content-Transfer-Encoding: quoted-printable\n\n", "= " },
	{ "Content-Transfer-Encoding: quoted-printable\n\n=", " " },
	{ "Content-Transfer-Encoding: base64\n\n", "=" },
};

static void
read_text(const char *text, struct arena *a)
{
	decode_text(text, a);
}

static void
read_addresses(const char *text, struct arena *a)
{
	struct addresses r;

	address_read(text, &r, a);
}

static void
read_results(const char *text, struct arena *a)
{
	struct authres r = { 0 };

	(void)a;
	authres_add(&r, text, "mx.example", NULL);
}

/* The limits of a head are not those of the reader. */
static void
read_received(const char *text, struct arena *a)
{
	struct head_field f = {
		.name = "Received", .name_n = 8,
		.value = text, .value_n = strlen(text),
	};
	struct head h = { .fields = &f, .n = 1 };
	struct relayed r;

	(void)a;
	relayed_read(&h, &r);
}

static void
read_head(const char *text, struct arena *a)
{
	const char *at = text, *end = text + strlen(text);
	struct head_field f;
	struct head h;

	head_read(&h, text, strlen(text), a);
	for (size_t i = 0; i < h.n; i++)
		head_value(&h.fields[i], a);
	if (head_cut(&at, end, &f))
		head_value(&f, a);
}

static void
read_mail(const char *text, struct arena *a)
{
	struct mime m;

	mime_read(&m, text, strlen(text), a);
	for (size_t i = 0; i < m.n; i++) {
		struct buf none;

		buf_init(&none, 0);
		mime_decode(&m.all[i], &none);
	}
}

static void
give(const struct shape *shapes, size_t n,
     void (*reader)(const char *, struct arena *))
{
	char *text = malloc(SIZE + 1);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++) {
		const size_t start = strlen(shapes[i].start);
		const size_t again = strlen(shapes[i].again);
		struct arena a = { NULL };

		/* The last one before a limit strikes is the one. */
		printf("# %s %s\n", text_show(shapes[i].start),
		       text_show(shapes[i].again));
		fflush(stdout);
		memcpy(text, shapes[i].start, start);
		for (size_t k = start; k < SIZE; k++)
			text[k] = shapes[i].again[(k - start) % again];
		text[SIZE] = '\0';
		reader(text, &a);
		arena_free(&a);
	}
	free(text);
}

static void
limit_cpu(void)
{
	const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS + 5 };

	assert_int_equal(setrlimit(RLIMIT_CPU, &cpu), 0);
}

static void
takes_linear_time(void **state)
{
	pid_t child;
	int status;

	(void)state;
	fflush(stdout);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		limit_cpu();
		decode_init();
		give(texts, COUNT(texts), read_text);
		give(lists, COUNT(lists), read_addresses);
		give(results, COUNT(results), read_results);
		give(received, COUNT(received), read_received);
		give(heads, COUNT(heads), read_head);
		give(mails, COUNT(mails), read_mail);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_linear_time),
	};

	return cmocka_run_group_tests_name("mail-linear", tests, NULL, NULL);
}
