#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include <curl/curl.h>

#include "http-private.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

#define EVENTS_MAX 64
#define FDS_MAX 63

/*
 * libcurl tells which sockets and which timer it waits for, and is told what
 * happened: work grows with what is ready, not with what is open, as it would
 * with curl_multi_perform().
 */
struct http {
	CURLM *multi;
	int epoll;
	struct http_options options;
	char *ca_file, *proxy;	/* of options */
	double timer;		/* monotonic; < 0: none */
	struct http_exchange *running;
	const char *broken;	/* why no exchange can go on, or NULL */
};

static int
watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http *h = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(h->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (known == NULL)
		curl_multi_assign(h->multi, fd, h);
	if (epoll_ctl(h->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
		      &event) == 0)
		return 0;
	h->broken = strerror(errno);
	return -1;	/* libcurl ends them all */
}

static int
set_timer(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	(void)multi;
	if (ms < 0)
		h->timer = -1;
	else if (ms == 0)
		h->timer = 0;
	else
		h->timer = clock_monotonic() + (double)ms / 1e3;
	return 0;
}

struct http *
http_new(const struct http_options *o, struct err *e)
{
	struct http *h;

	if (http_global(e) < 0)
		return NULL;
	h = mem_alloc(sizeof(*h));
	h->options = *o;
	h->options.ca_file = h->ca_file =
		o->ca_file ? mem_strdup(o->ca_file) : NULL;
	h->options.proxy = h->proxy = o->proxy ? mem_strdup(o->proxy) : NULL;
	h->timer = -1;
	h->multi = curl_multi_init();
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->multi == NULL || h->epoll < 0) {
		err_errno(e, "cannot make an HTTP client");
		http_free(h);
		return NULL;
	}
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS,
			  (long)(o->connections > 0 ? o->connections : 1));
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING,
			  (long)CURLPIPE_NOTHING);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	if (h->epoll >= 0)
		close(h->epoll);
	free(h->ca_file);
	free(h->proxy);
	free(h);
}

void
http_start(struct http *h, struct http_exchange *x)
{
	CURLMcode code;

	http_set(x, &h->options);
	x->http = h;
	x->prev = NULL;
	x->next = h->running;
	if (x->next != NULL)
		x->next->prev = x;
	h->running = x;
	code = curl_multi_add_handle(h->multi, x->easy);
	/* It would never end: http_wait() tells. */
	if (code != CURLM_OK && h->broken == NULL)
		h->broken = curl_multi_strerror(code);
}

void
http_stop(struct http_exchange *x)
{
	struct http *h = x->http;

	if (h == NULL)
		return;
	curl_multi_remove_handle(h->multi, x->easy);
	if (x->prev != NULL)
		x->prev->next = x->next;
	else
		h->running = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	x->http = NULL;
}

/* libcurl's own timer cuts the wait short. */
static int
until_timer(const struct http *h, int ms)
{
	double left;

	if (h->timer < 0)
		return ms;
	if (h->timer == 0)
		return 0;
	left = (h->timer - clock_monotonic()) * 1e3;
	if (left <= 0)
		return 0;
	if (ms >= 0 && left > ms)
		return ms;
	return left > 60000 ? 60000 : (int)left + 1;
}

/* Waits; returns how many events there are, -2 after a signal. */
static int
sleep_until(struct http *h, struct pollfd *fds, size_t n, int ms,
	    struct epoll_event *events, struct err *e)
{
	struct pollfd all[FDS_MAX + 1];
	int ready = 0;

	if (n > 0) {
		n = n < FDS_MAX ? n : FDS_MAX;
		memcpy(all, fds, n * sizeof(*fds));
		all[n] = (struct pollfd){ .fd = h->epoll, .events = POLLIN };
		ready = poll(all, (nfds_t)n + 1, ms);
		if (ready >= 0)
			memcpy(fds, all, n * sizeof(*fds));
		ms = 0;
	}
	if (ready >= 0)
		ready = epoll_wait(h->epoll, events, EVENTS_MAX, ms);
	if (ready >= 0)
		return ready;
	if (errno == EINTR)
		return -2;
	return err_stop(e, EX_TEMPFAIL, "cannot wait for HTTP: %s",
			strerror(errno));
}

static int
tell_curl(struct http *h, const struct epoll_event *events, int n,
	  struct err *e)
{
	CURLMcode code = CURLM_OK;
	int running;

	for (int i = 0; i < n && code == CURLM_OK; i++) {
		int what = 0;

		if (events[i].events & EPOLLIN)
			what |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			what |= CURL_CSELECT_OUT;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			what |= CURL_CSELECT_ERR;
		code = curl_multi_socket_action(h->multi, events[i].data.fd,
						what, &running);
	}
	if (code == CURLM_OK && (h->timer == 0 ||
	    (h->timer > 0 && h->timer <= clock_monotonic()))) {
		h->timer = -1;
		code = curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT,
						0, &running);
	}
	if (code != CURLM_OK && h->broken == NULL)
		h->broken = curl_multi_strerror(code);
	if (h->broken == NULL)
		return 0;
	return err_stop(e, EX_TEMPFAIL, "cannot go on with HTTP: %s",
			h->broken);
}

static void
end_exchanges(struct http *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left)) != NULL) {
		const CURLcode code = message->data.result;
		struct http_exchange *x;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
		http_stop(x);
		http_ended(x, code);
		x->done(x);
	}
}

int
http_wait(struct http *h, struct pollfd *fds, size_t n, int ms, struct err *e)
{
	struct epoll_event events[EVENTS_MAX];
	int ready;

	for (size_t i = 0; i < n; i++)
		fds[i].revents = 0;
	ready = sleep_until(h, fds, n, until_timer(h, ms), events, e);
	if (ready == -1 || tell_curl(h, events, ready, e) < 0)
		return -1;
	end_exchanges(h);
	return ready == -2;
}

int
http_push(struct http *h, struct err *e)
{
	if (tell_curl(h, NULL, 0, e) < 0)
		return -1;
	end_exchanges(h);
	return 0;
}
