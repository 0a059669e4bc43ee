#include <config.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "source-help.h"

struct source_settings settings;
struct source source;
struct err said;

static struct spooler spooler;

void
open_source(const char *dir, bool read_only)
{
	static char path[4096];
	struct err e = { .text = "" };

	/* As the engine does: somebody opens what we have leased. */
	signal(SIGIO, SIG_IGN);
	snprintf(path, sizeof(path), "%s/src", dir);
	mkdir(path, 0700);
	settings.path = path;
	spooler.dir = dir;
	if (source_open(&source, &settings, read_only, &e) < 0)
		fail_msg("%s", e.text);
}

void
close_source(void)
{
	source_close(&source);
	spooler_free(&spooler);
}

const char *
keys(bool complete)
{
	static char text[65536];
	struct err e = { .text = "" };
	struct arena a = { NULL };
	struct object *list;
	bool whole = !complete;
	size_t n, at = 0;

	if (source.kind->list(&source, &a, &list, &n, &whole, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(whole, complete);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s\n",
				       list[i].aside ? LEFT : "",
				       list[i].key);
	free(list);
	arena_free(&a);
	return text;
}

static struct object
object_of(const char *key)
{
	const bool left = strncmp(key, LEFT, strlen(LEFT)) == 0;

	return (struct object){
		.key = key + (left ? strlen(LEFT) : 0), .aside = left,
	};
}

enum fetch
fetch_text(const char *key, const char *text, struct version *v_r)
{
	const struct object o = object_of(key);
	struct spool s;
	enum fetch r;

	said = (struct err){ .text = "" };
	r = source.kind->fetch(&source, &o, &spooler, &s, v_r, &said);
	if (r != FETCH_OK)
		return r;
	if (text != NULL) {
		char got[4096];
		ssize_t n = fsio_pread(s.fd, got, sizeof(got), 0);

		assert_int_equal(n, strlen(text));
		assert_memory_equal(got, text, strlen(text));
		assert_int_equal(s.size, strlen(text));
	}
	close(s.fd);
	return r;
}

enum fetch
fetch(const char *key, struct version *v_r)
{
	return fetch_text(key, NULL, v_r);
}

enum removal
remove_key(const char *key, const struct version *v)
{
	const struct object o = object_of(key);

	said = (struct err){ .text = "" };
	return source.kind->remove(&source, &o, v, &said);
}

const char *
file_of(const char *dir, const char *name)
{
	return scratch_path("%s/src/%s", dir, name);
}

void
put_file(const char *dir, const char *name, const char *text)
{
	scratch_text(file_of(dir, name), text);
}

void
has_text(const char *dir, const char *name, const char *text)
{
	char got[256];
	ssize_t n = scratch_read(file_of(dir, name), got, sizeof(got) - 1);

	assert_in_range(n, 0, sizeof(got) - 1);
	got[n] = '\0';
	assert_string_equal(got, text);
}
