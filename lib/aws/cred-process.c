#include <config.h>

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cred-private.h"
#include "lib/base/child.h"
#include "lib/base/text.h"
#include "secret.h"

#define SECONDS 30
#define WORDS_MAX 64

/*
 * Splits like a POSIX shell (XCU 2.2, Quoting), in place, into at most
 * WORDS_MAX words; nothing else of a shell. -1 when a quote does not end.
 */
static int
split(char *s, const char **words)
{
	char *out = s, quote = '\0';
	bool in_word = false;
	int n = 0;

	for (; *s != '\0'; s++) {
		const bool blank = strchr(" \t\n", *s) != NULL;

		if (quote == '\0' && blank) {
			if (in_word)
				*out++ = '\0';
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (n == WORDS_MAX)
				return -1;
			/* out never overtakes s. */
			words[n++] = out;
			in_word = true;
		}
		if (quote == '\0' && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else if (*s == quote && quote != '\0') {
			quote = '\0';
		} else if (*s == '\\' && quote != '\'') {
			if (s[1] == '\0')
				return -1;
			if (quote == '"' && strchr("$`\"\\", s[1]) == NULL)
				*out++ = *s;
			*out++ = *++s;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
	words[n] = NULL;
	return quote == '\0' ? n : -1;
}

static enum cred_result
refuse(const struct cred *c, const char *why, struct err *e)
{
	err_stop(e, EX_CONFIG, "cannot use the %s: %s", c->source, why);
	return CRED_FAILED;
}

/* It may have said why, on stderr. */
static enum cred_result
failed(const struct cred *c, const struct child_answer *a, struct err *e)
{
	const char *said = a->line[0] ? ": " : "";

	if (WIFSIGNALED(a->status))
		err_set(e, ERR_TEMP, "cannot use the %s: signal %d ended it%s"
			"%s", c->source, WTERMSIG(a->status), said,
			text_show(a->line));
	else
		err_set(e, ERR_TEMP, "cannot use the %s: it ended with %d%s%s",
			c->source, WEXITSTATUS(a->status), said,
			text_show(a->line));
	return CRED_FAILED;
}

/* Of whoever runs the program: the configuration may have been read by root,
 * whose home is closed to the engine. NULL: there is none. */
static char *
make_home(void)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct buf home;

	if (pw == NULL || *pw->pw_dir != '/')
		return NULL;
	buf_init(&home, PATH_MAX);
	buf_printf(&home, "HOME=%s", pw->pw_dir);
	return home.data;
}

static enum cred_result
ask(struct cred *c, const char *const *argv, struct aws_creds *out,
    struct err *e)
{
	/* Who wants more sets it in the program that is named. */
	char *home = make_home();
	const char *envp[] = {
		"PATH=/usr/bin:/bin", "LANG=C.UTF-8", home, NULL
	};
	struct child_answer a = { .size = CRED_ANSWER_MAX + 1 };
	enum cred_result r = CRED_FOUND;

	a.out = mem_alloc(a.size);
	if (child_ask(argv, envp, 1000 * cred_seconds(c, SECONDS), &a,
		      e) < 0) {
		err_prefix(e, "cannot use the %s", c->source);
		r = CRED_FAILED;
	} else if (a.status != 0) {
		r = failed(c, &a, e);
	} else if (cred_json(CRED_JSON_PROCESS, a.out, a.len, c->source, out,
			     e) < 0) {
		r = CRED_FAILED;
	}
	secret_wipe(a.out, a.size);
	free(a.out);
	free(home);
	return r;
}

enum cred_result
cred_process(struct cred *c, const char *profile, struct aws_creds *out,
	     struct err *e)
{
	const char *argv[WORDS_MAX + 1], *from;
	const char *line = aws_config_get(c->config, profile, NULL,
					  "credential_process", &from);
	enum cred_result r;
	char *copy;
	int n;

	if (line == NULL)
		return CRED_NONE;
	snprintf(c->source, sizeof(c->source), "credential_process of %s",
		 from);
	copy = mem_strdup(line);
	n = split(copy, argv);
	if (n < 1)
		r = refuse(c, "expected a program and its arguments, quotes "
			   "in pairs", e);
	else
		r = ask(c, argv, out, e);
	/* People put passwords there. */
	secret_wipe(copy, strlen(line));
	free(copy);
	return r;
}
