#include <config.h>

#include "cred-story.h"

const char *
story_place(struct arena *a, const char *text, const char *dir, int port)
{
	const size_t room = text ? strlen(text) + 4096 : 0;
	char *out = text ? arena_alloc(a, room) : NULL;
	size_t n = 0;

	for (; text != NULL && *text != '\0'; text++) {
		assert_true(n < room - 512);
		if (strncmp(text, "PORT", 4) == 0) {
			n += (size_t)snprintf(out + n, room - n, "%d", port);
			text += 3;
		} else if (strncmp(text, "DIR/", 4) == 0) {
			n += (size_t)snprintf(out + n, room - n, "%s", dir);
			text += 2;
		} else {
			out[n++] = *text;
		}
	}
	return out;
}

/* Answers with their lengths; at the end one that nobody should see. */
static size_t
make_answers(struct arena *a, const struct story *s,
	     struct server_answer *answers)
{
	size_t n = 0;

	for (; n < ANSWERS_MAX && s->steps[n].request != NULL; n++) {
		const struct step *t = &s->steps[n];
		const char *bytes = NULL;

		if (t->status != NULL)
			bytes = arena_printf(a, "HTTP/1.1 %s\r\nContent-Length:"
					     " %zu\r\n\r\n%s", t->status,
					     strlen(t->body) + t->pad,
					     t->body);
		answers[n] = (struct server_answer){
			.bytes = bytes, .then = t->then, .pad = t->pad
		};
	}
	answers[n] = (struct server_answer){
		.bytes = "HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n"
	};
	return n + 1;
}

static void
compare_requests(const struct story *s, struct server *server)
{
	size_t n = 0;

	for (; n < ANSWERS_MAX && s->steps[n].request != NULL; n++) {
		const struct step *t = &s->steps[n];
		const char *request = server_request(server, n);

		if (strncmp(request, t->request, strlen(t->request)) != 0 ||
		    (t->has != NULL && strstr(request, t->has) == NULL))
			fail_msg("request %zu is:\n%s", n, request);
	}
	assert_int_equal(server_requests(server), n);
}

static void
play(const char *dir, const struct story *s)
{
	struct server_answer answers[ANSWERS_MAX + 1];
	struct arena a = { NULL };
	const size_t n = make_answers(&a, s, answers);
	struct server *server = server_new(answers, n);
	const int port = server_port(server);
	struct cred_scene scene = s->scene;
	struct aws_creds creds = { .expires = 0 };
	struct err e = { .text = "" };
	const char *says = story_place(&a, s->says, dir, port);
	struct cred *c;
	int ret;

	for (size_t i = 0; i < COUNT(scene.env); i++)
		scene.env[i] = story_place(&a, scene.env[i], dir, port);
	scene.config = story_place(&a, scene.config, dir, port);
	c = cred_scene(dir, &scene, &e);
	assert_string_equal(e.text, "");
	ret = cred_get(c, CRED_NOW, &creds, &e);
	printf("# %s\n", ret == 0 ? cred_source(c) : e.text);
	assert_int_equal(ret, s->key ? 0 : -1);
	assert_non_null(strstr(ret == 0 ? cred_source(c) : e.text, says));
	cred_no_secret(e.text);
	cred_no_secret(cred_source(c));
	if (s->key != NULL)
		assert_string_equal(creds.access_key, s->key);
	if (s->region != NULL)
		assert_string_equal(aws_config_region(c->config), s->region);
	compare_requests(s, server);
	cred_scene_end(c);
	server_free(server);
	arena_free(&a);
}

void
story_play(const char *dir, const struct story *stories, size_t n)
{
	cred_put(dir, "token", "HIDDENfile");
	cred_put(dir, "token-lf", "HIDDENlf\n");
	/* Whoever set these for us does not decide. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	for (size_t i = 0; i < n; i++) {
		printf("# %s\n", stories[i].name);
		play(dir, &stories[i]);
	}
}
