#include <config.h>

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "settings-private.h"

#define MAILDIR_MAX 3000	/* bytes; leaves room for {home} and {user} */

static const char *const authority_words[] = {
	[AUTHORITY_MAILBOX] = "mailbox",
	[AUTHORITY_RECEIVED] = "received",
	[AUTHORITY_NOTIFICATION] = "notification",
	NULL
};

/* The option table: parsing, `config show` and fallbackmx.json(5) follow it. */
static const struct config_row mailbox_rows[] = {
	{ .key = "prefix", .type = CONFIG_STRING, .max = 1024,
	  .offset = offsetof(struct route, prefix),
	  .help = "the begin of the keys" },
	{ .key = "recipient", .type = CONFIG_STRING, .max = 320,
	  .offset = offsetof(struct route, recipient),
	  .help = "a mail address" },
	{ .key = "maildir", .type = CONFIG_STRING, .required = true,
	  .max = MAILDIR_MAX, .offset = offsetof(struct route, maildir),
	  .help = "a directory" },
	{ .key = "owner", .type = CONFIG_STRING, .max = 63,
	  .offset = offsetof(struct route, owner),
	  .help = "a user name or uid:gid" },
	{ .key = NULL }
};

static const struct config_row catch_all_rows[] = {
	{ .key = "maildir", .type = CONFIG_STRING, .required = true,
	  .max = MAILDIR_MAX, .offset = offsetof(struct route, maildir),
	  .help = "a directory" },
	{ .key = "owner", .type = CONFIG_STRING, .max = 63,
	  .offset = offsetof(struct route, owner),
	  .help = "a user name or uid:gid" },
	{ .key = NULL }
};

static const char *const style_words[] = {
	[ENDPOINT_AUTO] = "auto", [ENDPOINT_PATH] = "path",
	[ENDPOINT_VIRTUAL] = "virtual", NULL
};

static const struct config_row aws_rows[] = {
	{ .key = "region", .type = CONFIG_STRING, .max = 63,
	  .offset = offsetof(struct aws_settings, region),
	  .help = "a region" },
	{ .key = "profile", .type = CONFIG_STRING, .max = 255,
	  .offset = offsetof(struct aws_settings, profile),
	  .help = "a profile of AWS's shared files" },
	{ .key = "key_file", .type = CONFIG_STRING, .max = MAILDIR_MAX,
	  .offset = offsetof(struct aws_settings, key_file),
	  .help = "a file with the keys" },
	{ .key = "endpoint_url", .type = CONFIG_STRING, .max = 511,
	  .offset = offsetof(struct aws_settings, endpoint_url),
	  .help = "https://HOST:PORT of another server" },
	{ .key = "addressing_style", .type = CONFIG_WORD, .words = style_words,
	  .number = ENDPOINT_AUTO,
	  .offset = offsetof(struct aws_settings, addressing_style),
	  .help = "where the bucket's name goes" },
	{ .key = "ca_bundle", .type = CONFIG_STRING, .max = MAILDIR_MAX,
	  .offset = offsetof(struct aws_settings, ca_bundle),
	  .help = "a file of certificates" },
	{ .key = "use_fips_endpoint", .type = CONFIG_BOOLEAN,
	  .offset = offsetof(struct aws_settings, use_fips_endpoint),
	  .help = "use AWS's FIPS endpoint" },
	{ .key = "use_dualstack_endpoint", .type = CONFIG_BOOLEAN,
	  .offset = offsetof(struct aws_settings, use_dualstack_endpoint),
	  .help = "use AWS's endpoint with IPv6" },
	{ .key = "allow_plain_http", .type = CONFIG_BOOLEAN,
	  .offset = offsetof(struct aws_settings, allow_plain_http),
	  .help = "let mail travel unencrypted" },
	{ .key = "proxy", .type = CONFIG_STRING, .max = 511,
	  .offset = offsetof(struct aws_settings, proxy),
	  .help = "http://HOST:PORT" },
	{ .key = "connections", .type = CONFIG_INTEGER, .min = 1,
	  .max = AWS_CONNECTIONS_MAX, .number = AWS_CONNECTIONS,
	  .offset = offsetof(struct aws_settings, connections),
	  .help = "how many requests at once" },
	{ .key = NULL }
};

static const struct config_row source_rows[] = {
	{ .key = "url", .type = CONFIG_STRING, .required = true,
	  .max = MAILDIR_MAX, .offset = offsetof(struct source_settings, url),
	  .help = "s3://BUCKET/PREFIX/ or file:///DIRECTORY/" },
	{ .key = "aws", .type = CONFIG_OBJECT, .rows = aws_rows,
	  .size = sizeof(struct aws_settings),
	  .offset = offsetof(struct source_settings, aws),
	  .help = "how S3 is reached" },
	{ .key = "recipients", .type = CONFIG_WORD, .words = authority_words,
	  .number = AUTHORITY_MAILBOX,
	  .offset = offsetof(struct source_settings, authority),
	  .help = "who says to whom a mail goes" },
	{ .key = "settle", .type = CONFIG_INTEGER, .min = 0, .max = 86400,
	  .number = -1, .unit = "seconds",
	  .offset = offsetof(struct source_settings, settle),
	  .help = "how long a file must have rested" },
	{ .key = "keep", .type = CONFIG_BOOLEAN,
	  .offset = offsetof(struct source_settings, keep),
	  .help = "never delete from the source" },
	{ .key = "verbatim", .type = CONFIG_BOOLEAN,
	  .offset = offsetof(struct source_settings, verbatim),
	  .help = "store the bytes of the object, nothing added" },
	{ .key = "catch_all", .type = CONFIG_OBJECT, .rows = catch_all_rows,
	  .size = sizeof(struct route),
	  .offset = offsetof(struct source_settings, catch_all),
	  .help = "the Maildir of mail without a home" },
	{ .key = "mailboxes", .type = CONFIG_LIST, .max = 65536,
	  .rows = mailbox_rows, .size = sizeof(struct route),
	  .offset = offsetof(struct source_settings, routes),
	  .count = offsetof(struct source_settings, routes_n),
	  .help = "which mail goes into which Maildir" },
	{ .key = NULL }
};

static const struct config_row settings_rows[] = {
	{ .key = "state_dir", .type = CONFIG_STRING,
	  .max = MAILDIR_MAX, .offset = offsetof(struct settings, state_dir),
	  .help = "the directory of ledger and locks" },
	{ .key = "engine_user", .type = CONFIG_STRING, .max = 63,
	  .text = ENGINE_USER,
	  .offset = offsetof(struct settings, engine_user),
	  .help = "the user that reads sources, when started as root" },
	{ .key = "sources", .type = CONFIG_LIST, .min = 1, .max = 64,
	  .rows = source_rows, .size = sizeof(struct source_settings),
	  .offset = offsetof(struct settings, sources),
	  .count = offsetof(struct settings, sources_n),
	  .help = "where mail comes from" },
	{ .key = "milter", .type = CONFIG_FOREIGN },
	{ .key = NULL }
};

static int
count_mistakes(struct settings *s, const struct config_mistakes *m,
	       struct err *e)
{
	if (m->n == 0)
		return 0;
	settings_free(s);
	return err_stop(e, EX_CONFIG, "cannot use %s: %zu mistake%s", m->file,
			m->n, text_s(m->n));
}

int
settings_parse(struct settings *s, const char *name, const char *text,
	       size_t len, struct buf *mistakes, struct err *e)
{
	char shown[320];
	struct config_mistakes m = { .lines = mistakes };

	*s = (struct settings){ 0 };
	m.file = text_quote(shown, sizeof(shown), name, strlen(name));
	config_read(text, len, settings_rows, s, &s->arena, &m);
	/* After a syntax error there is nothing to look at. */
	if (m.n == 0 || s->engine_user != NULL)
		settings_check(s, &m);
	return count_mistakes(s, &m, e);
}

int
settings_read(struct settings *s, const char *file, struct buf *mistakes,
	      struct err *e)
{
	const struct passwd *pw;
	struct buf text;
	int ret;

	*s = (struct settings){ 0 };
	buf_init(&text, CONFIG_MAX + 1);
	ret = config_read_file(file, &text, e);
	if (ret == 0)
		ret = settings_parse(s, file, text.data ? text.data : "",
				     text.len, mistakes, e);
	buf_free(&text);
	if (ret < 0)
		return -1;
	pw = getpwnam(s->engine_user);
	if (pw != NULL && pw->pw_uid == 0) {
		struct config_mistakes m = { text_show(file), mistakes, 0 };

		config_mistake(&m, "engine_user", s->engine_user,
			       "a user that is not root");
		return count_mistakes(s, &m, e);
	}
	return 0;
}

const char *
settings_absolute(struct settings *s, const char *path)
{
	struct arena *a = &s->arena;
	char here[PATH_MAX];

	if (*path == '/')
		return settings_clean_path(a, path);
	if (*path == '\0' || getcwd(here, sizeof(here)) == NULL ||
	    *here != '/')
		return NULL;
	return settings_clean_path(a, arena_printf(a, "%s/%s", here, path));
}

int
settings_from_source(struct settings *s, const char *url, struct err *e)
{
	struct source_settings *src;
	const char *expected;

	*s = (struct settings){ 0 };
	src = arena_alloc(&s->arena, sizeof(*src));
	src->url = arena_strdup(&s->arena, url);
	if (settings_take_url(&s->arena, src, &expected) < 0) {
		err_stop(e, EX_USAGE, "cannot read %s: expected %s",
			 text_show(url), expected);
		settings_free(s);
		return -1;
	}
	if (src->bucket != NULL)
		src->aws = settings_new_aws(&s->arena);
	else if (url[strlen(url) - 1] != '/')
		src->url = arena_printf(&s->arena, "%s/", url);
	s->sources = src;
	s->sources_n = 1;
	s->engine_user = ENGINE_USER;
	return 0;
}

int
settings_from_arguments(struct settings *s, const char *url,
			const char *maildir, const char *owner, struct err *e)
{
	const char *source, *place;
	struct route *r;

	if (settings_from_source(s, url, e) < 0)
		return -1;
	source = s->sources->path;
	place = settings_absolute(s, maildir);
	r = arena_alloc(&s->arena, sizeof(*r));
	*r = (struct route){
		.prefix = "", .maildir = place,
		.owner = owner ? arena_strdup(&s->arena, owner) : NULL,
	};
	s->sources->routes = r;
	s->sources->routes_n = 1;
	if (place == NULL || strlen(place) > MAILDIR_MAX) {
		err_stop(e, EX_USAGE, "cannot deliver to %s: expected a "
			 "directory without \"..\"", text_show(maildir));
		goto fail;
	}
	if (source != NULL && (settings_path_inside(place, source) ||
			       settings_path_inside(source, place))) {
		err_stop(e, EX_USAGE, "cannot deliver to %s: it is not apart "
			 "from the source %s", text_show(place),
			 text_show(source));
		goto fail;
	}
	if (owner != NULL && !settings_owner_ok(owner)) {
		err_stop(e, EX_USAGE, "cannot deliver as %s: expected a user "
			 "name or UID:GID, not root", text_show(owner));
		goto fail;
	}
	return 0;
fail:
	settings_free(s);
	return -1;
}

static const char *
default_state_dir(struct settings *s)
{
	const struct passwd *pw;

	if (geteuid() == 0)
		return LOCALSTATEDIR "/lib/fallbackmx";
	pw = getpwuid(geteuid());
	if (pw == NULL || *pw->pw_dir != '/')
		return NULL;
	return arena_printf(&s->arena, "%s/.local/state/fallbackmx",
			    pw->pw_dir);
}

int
settings_state_dir(struct settings *s, const char *wanted, struct err *e)
{
	if (wanted != NULL) {
		s->state_dir = settings_absolute(s, wanted);
		if (s->state_dir == NULL)
			return err_stop(e, EX_USAGE, "cannot use the state "
					"directory %s: expected one without "
					"\"..\"", text_show(wanted));
	}
	if (s->state_dir == NULL)
		s->state_dir = default_state_dir(s);
	if (s->state_dir == NULL)
		return err_stop(e, EX_USAGE, "cannot find a state directory: "
				"user %u has no home; name one with "
				"--state-dir", geteuid());
	for (size_t i = 0; i < s->sources_n; i++)
		if (s->sources[i].path != NULL &&
		    settings_path_inside(s->state_dir, s->sources[i].path))
			return err_stop(e, EX_USAGE, "cannot use the state "
					"directory %s: it is inside the "
					"source %s", text_show(s->state_dir),
					text_show(s->sources[i].path));
	return 0;
}

json_t *
settings_json(const struct settings *s)
{
	return config_json(settings_rows, s);
}

void
settings_free(struct settings *s)
{
	for (size_t i = 0; i < s->sources_n; i++)
		aws_config_free(s->sources[i].aws_config);
	arena_free(&s->arena);
	*s = (struct settings){ 0 };
}
