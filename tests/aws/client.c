/*
 * client - many GETs through lib/aws, for tls.py.
 *
 *	client URL CA-FILE CONNECTIONS REQUESTS
 *
 * Prints what became of them, how often the CA file was opened, libcurl's
 * version, and the last error.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <curl/curl.h>

#include "lib/aws/aws.h"
#include "lib/base/arena.h"

struct cred {
	int unused;
};

static int good, bad, attempts;
static struct err last;

int
cred_get(struct cred *c, int64_t now, struct aws_creds *out, struct err *e)
{
	(void)c;
	(void)now;
	(void)e;
	*out = (struct aws_creds){ .access_key = "AKIDEXAMPLE",
				   .secret_key = "secret" };
	return 0;
}

int
cred_renew(struct cred *c, int64_t now, struct err *e)
{
	(void)c;
	(void)now;
	return err_set(e, ERR_TEMP, "cannot renew");
}

static void
done(struct aws_call *c)
{
	attempts += c->attempts;
	if (c->result == AWS_OK) {
		good++;
	} else {
		bad++;
		last = c->err;
	}
}

static int
opens(int watch)
{
	char events[65536];
	const ssize_t n = read(watch, events, sizeof(events));
	int count = 0;

	for (ssize_t at = 0; at < n;) {
		struct inotify_event event;

		memcpy(&event, events + at, sizeof(event));
		at += (ssize_t)(sizeof(event) + event.len);
		count += (event.mask & IN_OPEN) != 0;
	}
	return count;
}

int
main(int argc, char **argv)
{
	struct endpoint_wish wish = { .service = "s3", .region = "us-east-1" };
	const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct aws_place place = { .service = "s3" };
	struct endpoint endpoint;
	struct cred cred = { 0 };
	struct aws_call *calls;
	struct aws *a;
	struct err e;
	int n, left;

	if (argc != 5)
		return 64;
	wish.url = argv[1];
	place.endpoint = &endpoint;
	place.http.ca_file = argv[2];
	place.http.connections = atoi(argv[3]);
	n = atoi(argv[4]);
	/* Equal events in a row are merged; with the closing they are not. */
	inotify_add_watch(watch, argv[2], IN_OPEN | IN_CLOSE_NOWRITE);
	if (endpoint_make(&endpoint, &wish, &e) < 0 ||
	    (a = aws_new(&place, &cred, NULL, &e)) == NULL) {
		puts(e.text);
		return 1;
	}
	calls = mem_alloc((size_t)n * sizeof(*calls));
	for (int i = 0; i < n; i++) {
		calls[i] = (struct aws_call){
			.method = "GET", .bucket = "bkt", .key = "k",
			.expected = 3, .done = done };
		aws_start(a, &calls[i]);
	}
	while ((left = aws_wait(a, NULL, 0, -1, &e)) > 0)
		continue;
	if (left < 0)
		last = e;
	aws_free(a);
	free(calls);
	printf("%d %d %d %d %u %d %s\n", good, bad, attempts, opens(watch),
	       curl_version_info(CURLVERSION_NOW)->version_num, last.kind,
	       last.text);
	return 0;
}
