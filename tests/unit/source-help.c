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

static enum removal removal;
static int ticket;

static bool
wanted(void *owner, const struct object *o)
{
	(void)owner;
	(void)o;
	return true;
}

static void
removed(void *owner, void *of, enum removal r, const struct err *e)
{
	assert_null(owner);
	assert_ptr_equal(of, &ticket);
	removal = r;
	if (r == REMOVAL_FAILED)
		said = *e;
}

static bool
stopping(void *owner)
{
	(void)owner;
	return false;
}

const struct source_listener listener = {
	.wanted = wanted, .removed = removed, .stopping = stopping,
};

void
open_source(const char *dir, bool read_only)
{
	static char path[4096], spool[4096];
	struct err e = { .text = "" };

	/* As the engine does: somebody opens what we have leased. */
	signal(SIGIO, SIG_IGN);
	snprintf(path, sizeof(path), "%s/src", dir);
	mkdir(path, 0700);
	settings.path = path;
	spooler.dir = dir;
	snprintf(spool, sizeof(spool), "%s", dir);
	if (source_open(&source, &settings, &listener,
			read_only ? NULL : spool, &e) < 0)
		fail_msg("%s", e.text);
}

static void
reopen(void)
{
	struct err e = { .text = "" };
	const char *spool_dir = source.spool_dir;

	source_close(&source);
	if (source_open(&source, &settings, &listener, spool_dir, &e) < 0)
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
	struct object o;
	size_t at = 0;
	int r;

	/* A listing is made once: this one by a source of its own. */
	reopen();
	text[0] = '\0';
	while ((r = source.kind->next(&source, &o, &e)) == 1)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s\n",
				       o.aside ? LEFT : "", o.key);
	if (r < 0)
		fail_msg("%s", e.text);
	assert_int_equal(source.complete, complete);
	assert_int_equal(source.kind->left(&source), 0);
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
	source.kind->remove(&source, &o, v, &ticket);
	source.kind->finish(&source);
	return removal;
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
