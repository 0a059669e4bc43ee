#include <config.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "milter/session.h"
#include "unit.h"

static void
clients(void **state)
{
	static const struct {
		const char *address, *wanted;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::1", "::1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct session *s = session_new();
		struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
		struct sockaddr_in four = { .sin_family = AF_INET };
		char text[INET6_ADDRSTRLEN];

		ROW(rows[i].address);
		if (inet_pton(AF_INET6, rows[i].address, &six.sin6_addr) == 1)
			session_connect(s, (struct sockaddr *)&six);
		else if (inet_pton(AF_INET, rows[i].address,
				   &four.sin_addr) == 1)
			session_connect(s, (struct sockaddr *)&four);
		assert_non_null(inet_ntop(s->client.family, s->client.bytes,
					  text, sizeof(text)));
		assert_string_equal(text, rows[i].wanted);
		session_free(s);
	}
}

static void
nobody(void **state)
{
	const struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct session *s = session_new();

	(void)state;
	session_connect(s, NULL);
	assert_int_equal(s->client.family, 0);
	session_connect(s, (const struct sockaddr *)&local);
	assert_int_equal(s->client.family, 0);
	session_free(s);
	session_free(NULL);
}

static void
greets(void **state)
{
	struct session *s = session_new();
	char long_name[5000];

	(void)state;
	assert_null(s->helo);
	session_greet(s, "one");
	session_greet(s, "two");
	assert_string_equal(s->helo, "two");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	session_greet(s, long_name);
	assert_int_equal(strlen(s->helo), SESSION_HELO_MAX);
	session_greet(s, NULL);
	assert_null(s->helo);
	/* Ending what never began, and again. */
	message_end(&s->message);
	message_end(&s->message);
	session_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients),
		cmocka_unit_test(nobody),
		cmocka_unit_test(greets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
