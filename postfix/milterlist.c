#include <config.h>

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "milterlist.h"

#define BLANKS ", \t\r\n"

/* Where an entry that begins at p ends: behind its closing brace, or at the
 * next separator. One without its closing brace goes on to the end. */
static const char *
entry_end(const char *p)
{
	int depth = 0;

	if (*p != '{')
		return p + strcspn(p, BLANKS);
	for (; *p != '\0'; p++) {
		if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			return p + 1;
	}
	return p;
}

/* "name = value" of an entry in braces. */
static void
take_option(struct milter_entry *m, char *word, struct arena *arena)
{
	char *equals = strchr(word, '=');
	size_t n;

	if (equals == NULL)
		return;
	n = (size_t)(equals - word);
	while (n > 0 && strchr(" \t", word[n - 1]) != NULL)
		n--;
	equals++;
	equals += strspn(equals, " \t");
	if (n == 14 && strncmp(word, "default_action", n) == 0)
		m->action = arena_strdup(arena, equals);
	else if (n == 8 && strncmp(word, "protocol", n) == 0)
		m->protocol = arena_strdup(arena, equals);
}

/* Inside of braces commas part, and blanks around "=" do not. */
static void
take_inside(struct milter_entry *m, const char *inside, size_t n,
	    struct arena *arena)
{
	char *copy = arena_strndup(arena, inside, n), *word, *end;

	copy += strspn(copy, BLANKS);
	end = copy + strcspn(copy, BLANKS);
	m->endpoint = arena_strndup(arena, copy, (size_t)(end - copy));
	for (word = end; *word != '\0'; word = end) {
		word += strspn(word, BLANKS);
		end = word + strcspn(word, BLANKS "=");
		end += strspn(end, " \t");
		if (*end == '=') {
			end++;
			end += strspn(end, " \t");
			end += strcspn(end, BLANKS);
		}
		if (*end != '\0')
			*end++ = '\0';
		take_option(m, word, arena);
	}
}

struct milter_entry *
milterlist_parse(const char *value, struct arena *arena, size_t *n_r)
{
	const size_t most = strlen(value) / 2 + 1;
	struct milter_entry *all = arena_alloc(arena, most * sizeof(*all));
	const char *end;
	size_t n = 0, len;

	for (value += strspn(value, BLANKS); *value != '\0';
	     value += strspn(value, BLANKS)) {
		end = entry_end(value);
		len = (size_t)(end - value);
		all[n].text = arena_strndup(arena, value, len);
		if (*value == '{' && len >= 2)
			take_inside(&all[n], value + 1,
				    len - (end[-1] == '}' ? 2 : 1), arena);
		else
			all[n].endpoint = all[n].text;
		n++;
		value = end;
	}
	*n_r = n;
	return all;
}

const char *
milterlist_path(const char *endpoint, const struct postconf *c,
		const struct service *s, struct arena *arena)
{
	const char *queue = postconf_value(c, NULL, "queue_directory");

	if (strncasecmp(endpoint, "unix:", 5) != 0 &&
	    strncasecmp(endpoint, "local:", 6) != 0)
		return NULL;
	endpoint = strchr(endpoint, ':') + 1;
	if (*endpoint == '/' && !s->chroot)
		return endpoint;
	return arena_printf(arena, "%s%s%s", queue,
			    *endpoint == '/' ? "" : "/", endpoint);
}

/* "inet:HOST:PORT": its host without brackets, and its port. */
static bool
split_inet(const char *endpoint, const char **host_r, size_t *n_r,
	   const char **port_r)
{
	const char *colon = strrchr(endpoint, ':');

	if (strncasecmp(endpoint, "inet:", 5) != 0 || colon < endpoint + 5)
		return false;
	*host_r = endpoint + 5;
	*n_r = (size_t)(colon - *host_r);
	*port_r = colon + 1;
	if (*n_r >= 2 && **host_r == '[') {
		++*host_r;
		*n_r -= 2;
	}
	return true;
}

static bool
is_loopback(const char *host, size_t n)
{
	return (n == 9 && strncasecmp(host, "localhost", n) == 0) ||
	       (n == 9 && memcmp(host, "127.0.0.1", n) == 0) ||
	       (n == 3 && memcmp(host, "::1", n) == 0);
}

bool
milterlist_same_inet(const char *a, const char *b)
{
	const char *host[2], *port[2];
	size_t n[2];

	if (!split_inet(a, &host[0], &n[0], &port[0]) ||
	    !split_inet(b, &host[1], &n[1], &port[1]) ||
	    strcmp(port[0], port[1]) != 0)
		return false;
	if (n[0] == n[1] && strncasecmp(host[0], host[1], n[0]) == 0)
		return true;
	return is_loopback(host[0], n[0]) && is_loopback(host[1], n[1]);
}

bool
milterlist_same(const char *a, const char *b)
{
	struct stat sa, sb;
	const char *p = a, *q = b;

	while (*p == *q && *p != '\0') {
		/* A run of slashes is one. */
		p += *p == '/' ? strspn(p, "/") : 1;
		q += *q == '/' ? strspn(q, "/") : 1;
	}
	if (*p == '\0' && *q == '\0')
		return true;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}
