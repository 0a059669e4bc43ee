/*
 * All of lib/mail from many threads at once, as a milter uses it: after one
 * decode_init() each gives in each thread what it gives alone. Also the first
 * calls come together: what a library sets up late is set up then. Built with
 * --enable-sanitizers=thread it tells races that did no harm.
 */
#include <config.h>

#include <pthread.h>

#include "lib/base/buf.h"
#include "lib/mail/address.h"
#include "lib/mail/authres.h"
#include "lib/mail/decode.h"
#include "lib/mail/received.h"
#include "lib/mail/relayed.h"
#include "unit.h"

#define THREADS 8
#define ROUNDS 1000

#define SES "Received: from c ([192.0.2.7]) by inbound-smtp.eu-west-1." \
	    "amazonaws.com with SMTP id %d for a@b; " \
	    "Fri, 27 Jan 2023 12:19:20 +0000 (UTC)\r\n"

/* Charsets of all kinds, both forms of domains, groups, broken ones. */
static const char fields[] =
	"Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?big5?B?pKSk5Q==?=\r\n"
	"Subject: =?koi8-r?Q?=F0=D2?= =?windows-1255?Q?=F9?= \xfc\r\n"
	"Subject: =?utf-7?Q?+AOk-?= =?gb18030?B?1tDOxA==?= =?x?q?=4?=\r\n"
	"To: a@b\xc3\xbc" "cher.example, \"c d\"@e (f), G: h@i;, j@[1.2.3.4]"
	"\r\n"
	"To: k@XN--BCHER-KVA.example, =?iso-8859-2?q?l?= <m@n, \xff <o@p>>\r\n"
	"To: =?euc-kr?q?=B0=A1?= <q@r> s, \xe9 <t@u\r\n"
	"Authentication-Results: mx.example; spf=pass (a); dkim=fail;\r\n"
	" dmarc=fail (p=reject)\r\n"
	"\r\n";

/* GLib locks without the C library, so its allocator looks like a race. The
 * sanitizer asks for this by name. */
const char *__tsan_default_suppressions(void);

const char *
__tsan_default_suppressions(void)
{
	return "called_from_lib:libglib-2.0.so\n"
	       "called_from_lib:libgobject-2.0.so\n";
}

static pthread_barrier_t together;

static void
add_addresses(struct buf *out, const char *value, struct arena *a)
{
	struct addresses r;

	address_read(value, &r, a);
	for (size_t i = 0; i < r.n; i++)
		buf_printf(out, " %s", r.all[i]);
	buf_printf(out, "%s\n", r.malformed ? " +" : "");
}

/* All that is read in a mail, of which each thread has its own. */
static void
read_mail(struct buf *out, int number, struct arena *a)
{
	const char *text = arena_printf(a, SES "%s", number, fields);
	struct authres auth = { 0 };
	struct received received;
	struct relayed relayed;
	struct head h;

	received_read(text, strlen(text), &received);
	head_read(&h, text, strlen(text), a);
	buf_printf(out, "%s %lld %d", received.id, (long long)received.arrival,
		   relayed_read(&h, &relayed));
	buf_printf(out, " %s %s\n", relayed.ip, relayed.helo);
	for (size_t i = 0; i < h.n; i++) {
		const char *value = head_value(&h.fields[i], a);

		buf_printf(out, "%s\n", decode_text(value, a));
		add_addresses(out, value, a);
		authres_add(&auth, value, "mx.example", NULL);
	}
	buf_printf(out, "%d %d %d %d\n", auth.spf, auth.dkim,
		   auth.dmarc_result, auth.dmarc);
}

static void *
read_mails(void *result)
{
	struct buf *out = result;

	pthread_barrier_wait(&together);
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = { NULL };

		buf_clear(out);
		read_mail(out, i, &a);
		arena_free(&a);
	}
	return NULL;
}

static void
reads_in_many_threads(void **state)
{
	pthread_t threads[THREADS];
	struct buf texts[THREADS], alone;
	struct arena a = { NULL };

	(void)state;
	decode_init();
	assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
	for (size_t i = 0; i < THREADS; i++) {
		buf_init(&texts[i], 65536);
		assert_int_equal(pthread_create(&threads[i], NULL, read_mails,
						&texts[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	buf_init(&alone, 65536);
	read_mail(&alone, ROUNDS - 1, &a);
	assert_true(alone.len > 400);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(texts[i].len, alone.len);
		assert_memory_equal(texts[i].data, alone.data, alone.len);
		buf_free(&texts[i]);
	}
	buf_free(&alone);
	arena_free(&a);
	pthread_barrier_destroy(&together);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_many_threads),
	};

	return cmocka_run_group_tests_name("mail-threads", tests, NULL, NULL);
}
