#include <config.h>

#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/text.h"
#include "postconf.h"

#define OUTPUT_MAX ((size_t)1048576)
#define ANSWER_MS 10000
#define WORDS_MAX 32

/* All that the checks want to know of main.cf. */
static const char *const asked[] = {
	"compatibility_level", "config_directory", "content_filter",
	"enable_original_recipient", "fallbackmx_milters", "mail_owner",
	"mail_version",
	"milter_default_action", "milter_macro_daemon_name", "milter_protocol",
	"mx_milters", "non_smtpd_milters", "queue_directory",
	"receive_override_options", "smtpd_milter_maps", "smtpd_milters",
	"smtpd_proxy_filter", "smtpd_tls_wrappermode", "soft_bounce",
};
#define ASKED (sizeof(asked) / sizeof(asked[0]))

/* It is no command of users, so not where child_ask() looks by itself. */
static const char *
find_program(void)
{
	static const char *const places[] = {
		"/usr/sbin/postconf", "/usr/local/sbin/postconf",
		"/usr/bin/postconf",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* Runs postconf with the words, and gives its output to the arena. */
static char *
ask(struct postconf *c, const char *program, const char *const *words,
    size_t n, struct err *e)
{
	static const char *const clean[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
	};
	const char *argv[WORDS_MAX] = { program, "-c", c->dir };
	size_t used = c->dir ? 3 : 1;
	struct child_answer a = { .size = OUTPUT_MAX };
	char line[512];

	for (size_t i = 0; i < n && used < WORDS_MAX - 1; i++)
		argv[used++] = words[i];
	argv[used] = NULL;
	a.out = arena_alloc(&c->arena, OUTPUT_MAX);
	if (child_ask(argv, clean, ANSWER_MS, &a, e) < 0) {
		err_prefix(e, "cannot ask postconf");
		return NULL;
	}
	text_quote(line, sizeof(line), a.line, strlen(a.line));
	if (a.status != 0) {
		err_stop(e, EX_CONFIG, "cannot read the configuration of "
			 "Postfix: %s", line);
		return NULL;
	}
	/* One that is new to this version is no mistake of the admin's. */
	if (c->complaint == NULL && *line != '\0' &&
	    strstr(line, "unknown parameter") == NULL)
		c->complaint = arena_strdup(&c->arena, line);
	return a.out;
}

static size_t
count_lines(const char *text)
{
	size_t n = 1;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Cuts the next line "NAME = VALUE" off *rest; false at the end. */
static bool
next_line(char **rest, char **name_r, char **value_r)
{
	char *line, *equals;

	while (**rest != '\0') {
		line = *rest;
		*rest += strcspn(line, "\n");
		if (**rest == '\n')
			*(*rest)++ = '\0';
		equals = strstr(line, " =");
		if (equals == NULL)
			continue;
		*equals = '\0';
		equals += 2;
		*name_r = line;
		*value_r = equals + strspn(equals, " ");
		return true;
	}
	return false;
}

static void
add_setting(struct setting *all, size_t *n, char *name, char *value)
{
	all[(*n)++] = (struct setting) {
		.name = name, .value = value, .raw = value,
	};
}

static int
read_main(struct postconf *c, const char *program, struct err *e)
{
	const char *words[ASKED + 1] = { "-x" };
	char *rest, *name, *value;

	memcpy(words + 1, asked, sizeof(asked));
	rest = ask(c, program, words, ASKED + 1, e);
	if (rest == NULL)
		return -1;
	c->settings = arena_alloc(&c->arena, count_lines(rest) *
				  sizeof(*c->settings));
	while (next_line(&rest, &name, &value))
		add_setting(c->settings, &c->settings_n, name, value);
	return 0;
}

/* "smtp/inet/chroot" in two: the service's id stays in name, what follows the
 * last slash is returned. A service's own name may have slashes. */
static char *
split_last(char *name)
{
	char *slash = strrchr(name, '/');

	if (slash == NULL)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

static struct service *
find_service(struct postconf *c, const char *id)
{
	for (size_t i = 0; i < c->services_n; i++)
		if (strcmp(c->services[i].id, id) == 0)
			return &c->services[i];
	return NULL;
}

/* What "-" in the chroot column means. */
static bool
default_chroot(const struct postconf *c)
{
	const char *level = postconf_value(c, NULL, "compatibility_level");

	return *level == '\0' || strcmp(level, "0") == 0;
}

static void
add_field(struct postconf *c, char *id, const char *field, char *value)
{
	struct service *s = find_service(c, id);

	if (s == NULL) {
		s = &c->services[c->services_n++];
		*s = (struct service) {
			.id = id, .name = "", .type = "", .command = "",
		};
	}
	if (strcmp(field, "service") == 0)
		s->name = value;
	else if (strcmp(field, "type") == 0)
		s->type = value;
	else if (strcmp(field, "chroot") == 0)
		s->chroot = *value == 'y' ||
			    (*value == '-' && default_chroot(c));
	else if (strcmp(field, "command") == 0)
		s->command = arena_strndup(&c->arena, value,
					   strcspn(value, " \t"));
}

static int
read_services(struct postconf *c, const char *program, struct err *e)
{
	/* -n for what it says of parameters that nothing uses. */
	static const char *const words[] = { "-n", "-F" };
	char *rest, *name, *value, *field;

	if (ask(c, program, words, 1, e) == NULL)
		return -1;
	rest = ask(c, program, words + 1, 1, e);
	if (rest == NULL)
		return -1;
	c->services = arena_alloc(&c->arena, count_lines(rest) *
				  sizeof(*c->services));
	while (next_line(&rest, &name, &value)) {
		field = split_last(name);
		if (field != NULL)
			add_field(c, name, field, value);
	}
	return 0;
}

/* Room for all options at once: each service takes what it needs. */
static int
read_options(struct postconf *c, const char *program, struct err *e)
{
	static const char *const words[] = { "-P", "-x" };
	char *put_in = ask(c, program, words, 2, e);
	char *raw = put_in ? ask(c, program, words, 1, e) : NULL;
	char *name, *value, *option;
	struct setting *room;
	struct service *s;

	if (raw == NULL)
		return -1;
	room = arena_alloc(&c->arena, count_lines(raw) * sizeof(*room));
	/* The options of one service stand together, in both. */
	while (next_line(&put_in, &name, &value)) {
		option = split_last(name);
		s = option ? find_service(c, name) : NULL;
		if (s == NULL)
			continue;
		if (s->settings == NULL)
			s->settings = room;
		add_setting(s->settings, &s->settings_n, option, value);
		room++;
	}
	while (next_line(&raw, &name, &value)) {
		option = split_last(name);
		s = option ? find_service(c, name) : NULL;
		for (size_t i = 0; s != NULL && i < s->settings_n; i++)
			if (strcmp(s->settings[i].name, option) == 0)
				s->settings[i].raw = value;
	}
	return 0;
}

int
postconf_read(struct postconf *c, const char *dir, struct err *e)
{
	const char *program = find_program();

	*c = (struct postconf) { .dir = dir };
	if (program == NULL)
		return 0;
	if (read_main(c, program, e) < 0 || read_services(c, program, e) < 0 ||
	    read_options(c, program, e) < 0)
		return -1;
	return 1;
}

void
postconf_free(struct postconf *c)
{
	arena_free(&c->arena);
	*c = (struct postconf) { .dir = NULL };
}

/* The last one counts, as in main.cf. */
static const struct setting *
find_setting(const struct setting *all, size_t n, const char *name)
{
	while (n-- > 0)
		if (strcmp(all[n].name, name) == 0)
			return &all[n];
	return NULL;
}

const char *
postconf_value(const struct postconf *c, const struct service *s,
	       const char *name)
{
	const struct setting *found = NULL;

	if (s != NULL)
		found = find_setting(s->settings, s->settings_n, name);
	if (found == NULL)
		found = find_setting(c->settings, c->settings_n, name);
	return found ? found->value : "";
}

const char *
postconf_own(const struct service *s, const char *name)
{
	const struct setting *found =
		find_setting(s->settings, s->settings_n, name);

	return found ? found->raw : NULL;
}

bool
postconf_has(const char *value, const char *word)
{
	const size_t n = strlen(word);

	while (*value != '\0') {
		const size_t len = strcspn(value, ", \t");

		if (len == n && strncasecmp(value, word, n) == 0)
			return true;
		value += len;
		value += strspn(value, ", \t");
	}
	return false;
}
