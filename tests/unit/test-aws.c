#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "aws-help.h"

#define OK .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
#define SLOW .bytes = "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n"

static const struct server_answer good = { OK };

static void
run_many(struct world *w, struct object *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		object_get(&o[i], "k", 3);
		aws_start(w->aws, &o[i].call);
	}
	world_run(w);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(o[i].call.result, AWS_OK);
}

/* The throughput of a slow server is connections / delay: all are used, and
 * used again. */
static void
keeps_its_connections(void **state)
{
	static const struct server_answer slow = { OK, .delay_ms = 20 };
	static struct object o[320];
	struct world w;

	(void)state;
	world_begin(&w, &slow, 1);
	w.place.http.connections = 32;
	world_open(&w);
	run_many(&w, o, COUNT(o));
	assert_int_equal(server_requests(w.server), COUNT(o));
	assert_int_equal(server_connections(w.server), 32);
	run_many(&w, o, COUNT(o));
	assert_int_equal(server_connections(w.server), 32);
	world_end(&w);
}

static void
has_its_limits(void **state)
{
	static const struct {
		int asked, got;
	} limits[] = {
		{ 0, 16 }, { 1, 1 }, { 64, 64 }, { 65, 64 }, { -1, 16 }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct world w;

		world_begin(&w, &good, 1);
		w.place.http.connections = limits[i].asked;
		world_open(&w);
		assert_int_equal(aws_connections(w.aws), limits[i].got);
		world_end(&w);
	}
}

static void
slows_down_and_recovers(void **state)
{
	static const struct server_answer answers[] = { { SLOW },
							{ SLOW },
							{ OK } };
	static struct object o[200];
	struct world w;

	(void)state;
	world_begin(&w, answers, COUNT(answers));
	world_open(&w);
	run_many(&w, o, 1);
	assert_int_equal(o[0].call.attempts, 3);
	assert_int_equal(aws_connections(w.aws), 4);
	run_many(&w, o, 99);
	assert_int_equal(aws_connections(w.aws), 5);
	run_many(&w, o, 200);
	assert_int_equal(aws_connections(w.aws), 7);
	world_end(&w);
}

struct after {
	const char *value;
	double delay;
};

/* RFC 9110, 10.2.3. */
static void
waits_as_long_as_told(void **state)
{
	static const struct after afters[] = {
		{ "3", 3 },
		{ "0", 0.5 },
		{ "9999", 20 },
		{ "-1", 0.5 },
		{ "soon", 0.5 },
		{ "Fri, 24 May 2013 00:00:07 GMT", 7 },
		{ "Fri, 24 May 2013 01:00:00 GMT", 20 },
		{ "Thu, 23 May 2013 00:00:00 GMT", 0.5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(afters); i++) {
		char first[256];
		const struct server_answer answers[] = { { .bytes = first },
							 { OK } };
		struct object o;
		struct world w;

		ROW(afters[i].value);
		snprintf(first, sizeof(first),
			 "HTTP/1.1 503 Slow\r\n"
			 "Retry-After: %s\r\nContent-Length: 0\r\n\r\n",
			 afters[i].value);
		world_begin(&w, answers, 2);
		world_open(&w);
		object_get(&o, "k", 3);
		aws_start(w.aws, &o.call);
		world_run(&w);
		assert_int_equal(o.call.result, AWS_OK);
		assert_int_equal(w.delays_n, 1);
		assert_true(w.delays[0] == afters[i].delay);
		world_end(&w);
	}
}

/* 500 tokens, 5 for a retry: a hundred retries, then each call fails at its
 * first failure. */
static void
stops_when_most_fail(void **state)
{
	static const struct server_answer broken = {
		.bytes = "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
	};
	static struct object o[60];
	struct world w;
	int left;
	struct err e;

	(void)state;
	world_begin(&w, &broken, 1);
	world_open(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		object_get(&o[i], "k", 3);
		aws_start(w.aws, &o[i].call);
	}
	while ((left = aws_wait(w.aws, NULL, 0, 20000, &e)) > 0)
		w.now += 20; /* whatever waits is due */
	for (size_t i = 0; i < COUNT(o); i++)
		assert_int_equal(o[i].call.result, AWS_FAILED);
	assert_int_equal(server_requests(w.server), COUNT(o) + 100);
	world_end(&w);
}

struct chain {
	struct aws_call call;
	struct aws *aws;
	int left;
};

static void
start_next(struct aws_call *c)
{
	struct chain *chain = (struct chain *)c;

	assert_int_equal(c->result, AWS_OK);
	if (--chain->left > 0)
		aws_start(chain->aws, c);
}

static void
goes_on_from_done(void **state)
{
	struct world w;
	struct chain c = { .left = 50,
			   .call = { .method = "GET",
				     .bucket = "b",
				     .key = "k",
				     .expected = 3,
				     .done = start_next } };

	(void)state;
	world_begin(&w, &good, 1);
	world_open(&w);
	c.aws = w.aws;
	aws_start(w.aws, &c.call);
	world_run(&w);
	assert_int_equal(c.left, 0);
	assert_int_equal(server_requests(w.server), 50);
	assert_int_equal(server_connections(w.server), 1);
	world_end(&w);
}

static void
keeps_the_order(void **state)
{
	static struct object o[20];
	static char keys[20][8];
	struct world w;

	(void)state;
	world_begin(&w, &good, 1);
	w.place.http.connections = 1;
	world_open(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		object_get(&o[i], keys[i], 3);
		aws_start(w.aws, &o[i].call);
	}
	world_run(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		char first[256];

		snprintf(first, sizeof(first), "GET /bkt/%s HTTP/1.1\r\n",
			 keys[i]);
		assert_int_equal(strncmp(server_request(w.server, i), first,
					 strlen(first)),
				 0);
	}
	world_end(&w);
}

/* Others are served while one waits for its next attempt. */
static void
a_retry_holds_nobody_up(void **state)
{
	static const struct server_answer answers[] = { { SLOW }, { OK } };
	struct object o[2];
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, answers, 2);
	w.place.http.connections = 1;
	world_open(&w);
	for (size_t i = 0; i < 2; i++) {
		object_get(&o[i], i == 0 ? "first" : "second", 3);
		aws_start(w.aws, &o[i].call);
	}
	assert_int_equal(aws_wait(w.aws, NULL, 0, 20000, &e), 1);
	assert_int_equal(o[0].done, 0);
	assert_int_equal(o[1].done, 1);
	world_run(&w);
	assert_int_equal(o[0].call.attempts, 2);
	assert_int_equal(o[0].call.result, AWS_OK);
	world_end(&w);
}

static void
other_descriptors_wake_it(void **state)
{
	static const struct server_answer stall = { .then = SERVER_STALL };
	struct pollfd fds[2];
	struct object o;
	struct world w;
	int pipes[4];
	struct err e;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipes + 2, O_CLOEXEC), 0);
	fds[0] = (struct pollfd){ pipes[0], POLLIN, 0 };
	fds[1] = (struct pollfd){ pipes[2], POLLIN, 0 };
	assert_int_equal(write(pipes[3], "", 1), 1);
	world_begin(&w, &stall, 1);
	world_open(&w);
	/* Without calls, and with one that does not end. */
	for (int i = 0; i < 2; i++) {
		fds[0].revents = POLLERR;
		assert_int_equal(aws_wait(w.aws, fds, 2, -1, &e), i);
		assert_int_equal(fds[0].revents, 0);
		assert_int_equal(fds[1].revents, POLLIN);
		object_get(&o, "k", 3);
		if (i == 0)
			aws_start(w.aws, &o.call);
	}
	assert_int_equal(aws_wait(w.aws, NULL, 0, 0, &e), 1);
	world_end(&w);
	for (int i = 0; i < 4; i++)
		close(pipes[i]);
}

static void
nothing_to_do_ends_at_once(void **state)
{
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, &good, 1);
	world_open(&w);
	assert_int_equal(aws_wait(w.aws, NULL, 0, -1, &e), 0);
	assert_null(aws_word(w.aws));
	world_end(&w);
}

static void
ignore(int signal)
{
	(void)signal;
}

/* SIGTERM is a flag that the caller looks at. */
static void
a_signal_wakes_it(void **state)
{
	static const struct server_answer stall = { .then = SERVER_STALL };
	const struct sigaction handler = { .sa_handler = ignore };
	struct sigaction old;
	struct object o;
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, &stall, 1);
	world_open(&w);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	sigaction(SIGALRM, &handler, &old);
	ualarm(50000, 50000);
	assert_int_equal(aws_wait(w.aws, NULL, 0, -1, &e), 1);
	ualarm(0, 0);
	sigaction(SIGALRM, &old, NULL);
	assert_int_equal(o.done, 0);
	world_end(&w);
}

static void
cancels_all(void **state)
{
	static const struct server_answer answers[] = {
		{ SLOW }, { .then = SERVER_STALL }
	};
	struct object o[4];
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, answers, 2);
	w.place.http.connections = 2;
	world_open(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		object_get(&o[i], "k", 3);
		aws_start(w.aws, &o[i].call);
	}
	/* One waits for its retry, one for an answer, two for their turn. */
	while (aws_connections(w.aws) == 2) {
		assert_true(aws_wait(w.aws, NULL, 0, 0, &e) > 0);
		usleep(1000);
	}
	aws_cancel_all(w.aws);
	for (size_t i = 0; i < COUNT(o); i++) {
		assert_int_equal(o[i].done, 1);
		assert_int_equal(o[i].call.result, AWS_CANCELLED);
		assert_string_equal(o[i].call.err.text,
				    "the call was cancelled");
	}
	assert_int_equal(aws_wait(w.aws, NULL, 0, -1, &e), 0);
	world_end(&w);
}

static void
ends_with_calls_under_way(void **state)
{
	static const struct server_answer stall = { .then = SERVER_STALL };
	struct object o[3];
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, &stall, 1);
	w.place.http.connections = 2;
	world_open(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		object_get(&o[i], "k", 3);
		aws_start(w.aws, &o[i].call);
	}
	assert_int_equal(aws_wait(w.aws, NULL, 0, 0, &e), 3);
	world_end(&w);
	for (size_t i = 0; i < COUNT(o); i++)
		assert_int_equal(o[i].call.result, AWS_CANCELLED);
}

static void
cannot_reach_nobody(void **state)
{
	struct object o;
	struct world w;
	char text[64];

	(void)state;
	world_begin(&w, &good, 1);
	w.endpoint.port = 1;
	world_open(&w);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_FAILED);
	assert_int_equal(o.call.attempts, 5);
	assert_int_equal(o.call.status, 0);
	snprintf(text, sizeof(text), "cannot reach 127.0.0.1:1: ");
	assert_int_equal(strncmp(o.call.err.text, text, strlen(text)), 0);
	assert_non_null(strstr(o.call.err.text, " (tried 5 times)"));
	world_end(&w);
}

/* With the machine's clock: a retry takes its time, and comes. */
static void
keeps_real_time(void **state)
{
	static const struct server_answer answers[] = { { SLOW }, { OK } };
	struct object o;
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, answers, 2);
	w.aws = aws_new(&w.place, &w.cred, NULL, &e);
	assert_non_null(w.aws);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_OK);
	assert_int_equal(o.call.attempts, 2);
	assert_int_equal(w.delays_n, 0);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_its_connections),
		cmocka_unit_test(has_its_limits),
		cmocka_unit_test(slows_down_and_recovers),
		cmocka_unit_test(waits_as_long_as_told),
		cmocka_unit_test(stops_when_most_fail),
		cmocka_unit_test(goes_on_from_done),
		cmocka_unit_test(keeps_the_order),
		cmocka_unit_test(a_retry_holds_nobody_up),
		cmocka_unit_test(other_descriptors_wake_it),
		cmocka_unit_test(nothing_to_do_ends_at_once),
		cmocka_unit_test(a_signal_wakes_it),
		cmocka_unit_test(cancels_all),
		cmocka_unit_test(ends_with_calls_under_way),
		cmocka_unit_test(cannot_reach_nobody),
		cmocka_unit_test(keeps_real_time),
	};

	return cmocka_run_group_tests_name("aws", tests, NULL, NULL);
}
