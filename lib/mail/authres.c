#include <config.h>

#include <string.h>
#include <strings.h>

#include "authres.h"

#define WORD_MAX ((size_t)256)

/* The field while it is read; it ends with NUL. */
struct field {
	const char *at;
	bool bad;
	enum dmarc_policy said;		/* in a comment of this result */
};

/* One result and what came with it. */
struct result {
	char method[16], version[4], word[16];
	bool on_helo, on_mail_from;	/* of SPF */
	enum dmarc_policy policy;
};

/* What one field says; zero-initialised: nothing. */
struct found {
	unsigned spf_rank;	/* 2: of MAIL FROM, 1: of HELO, 0: none */
	bool has_dkim, has_dmarc;
	enum auth_verdict spf, dkim, dmarc_result;
	enum dmarc_policy dmarc;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
same(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/* A dot at the end says nothing new of a domain. */
static size_t
id_length(const char *id)
{
	const size_t n = strlen(id);

	return n > 1 && id[n - 1] == '.' ? n - 1 : n;
}

static bool
is_id(const char *word, const char *id)
{
	const size_t n = id_length(word);

	return n > 0 && n == id_length(id) && strncasecmp(word, id, n) == 0;
}

static enum dmarc_policy
policy_of(const char *s, size_t n)
{
	static const char *const names[] = {
		[DMARC_NONE] = "none",
		[DMARC_QUARANTINE] = "quarantine",
		[DMARC_REJECT] = "reject",
	};

	for (enum dmarc_policy p = DMARC_NONE; p <= DMARC_REJECT; p++)
		if (strlen(names[p]) == n && strncasecmp(s, names[p], n) == 0)
			return p;
	return DMARC_UNKNOWN;
}

/* A comment such as "p=reject sp=none dis=none" or "policy=none". */
static enum dmarc_policy
policy_in(const char *at, const char *end)
{
	static const char stops[] = " \t,;()";

	while (at < end) {
		const size_t n = strcspn(at, stops);
		const char *is = memchr(at, '=', n);
		const size_t name = is != NULL ? (size_t)(is - at) : 0;

		if ((name == 1 && strncasecmp(at, "p", 1) == 0) ||
		    (name == 6 && strncasecmp(at, "policy", 6) == 0))
			return policy_of(is + 1, n - name - 1);
		at += n + strspn(at + n, stops);
	}
	return DMARC_UNKNOWN;
}

static void
skip_comment(struct field *f)
{
	const char *start = f->at + 1;
	size_t depth = 0;

	do {
		const char c = *f->at++;

		if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		else if (c == '\\' && *f->at != '\0')
			f->at++;
	} while (depth > 0 && *f->at != '\0');
	if (depth > 0)
		f->bad = true;
	else if (f->said == DMARC_UNKNOWN)
		f->said = policy_in(start, f->at - 1);
}

static void
skip(struct field *f)
{
	for (;;) {
		if (is_blank(*f->at))
			f->at++;
		else if (*f->at == '(')
			skip_comment(f);
		else
			return;
	}
}

/* The next byte that counts is c: it is taken. */
static bool
take(struct field *f, char c)
{
	skip(f);
	if (*f->at != c)
		return false;
	f->at++;
	return true;
}

/* A word that does not fit is none that we know: it becomes "". */
static void
put(char *out, size_t room, size_t *n, char c)
{
	if (*n + 1 < room)
		out[*n] = c;
	++*n;
}

static void
finish(char *out, size_t room, size_t n)
{
	out[n < room ? n : 0] = '\0';
}

static void
take_quoted(struct field *f, char *out, size_t room, size_t *n)
{
	f->at++;
	while (*f->at != '"' && *f->at != '\0') {
		if (*f->at == '\\' && f->at[1] != '\0')
			f->at++;
		put(out, room, n, *f->at++);
	}
	if (*f->at == '\0')
		f->bad = true;
	else
		f->at++;
}

/* Atoms and quoted strings side by side up to a byte of stops. False: there is
 * nothing. */
static bool
take_word(struct field *f, const char *stops, char *out, size_t room)
{
	const char *start;
	size_t n = 0;

	skip(f);
	start = f->at;
	while (*f->at != '\0' && strchr(stops, *f->at) == NULL) {
		if (*f->at == '"')
			take_quoted(f, out, room, &n);
		else
			put(out, room, &n, *f->at++);
	}
	finish(out, room, n);
	return f->at > start;
}

static bool
take_value(struct field *f, char *out, size_t room)
{
	return take_word(f, " \t;(", out, room);
}

/* METHOD [/VERSION] = RESULT; "none" alone is the word for no result. */
static bool
take_method(struct field *f, struct result *s)
{
	if (!take_word(f, " \t;(=/", s->method, sizeof(s->method)))
		return false;
	if (take(f, '/') &&
	    !take_word(f, " \t;(=", s->version, sizeof(s->version)))
		return false;
	if (take(f, '='))
		return take_value(f, s->word, sizeof(s->word));
	return same(s->method, "none") && *f->at == '\0';
}

/* [TYPE .] NAME = VALUE; the value may be empty, as after smtp.mailfrom of a
 * mail without sender. */
static bool
take_property(struct field *f, struct result *s)
{
	char type[16], name[16] = "", value[16];

	if (!take_word(f, " \t;(=.", type, sizeof(type)))
		return false;
	while (take(f, '.'))
		if (!take_word(f, " \t;(=.", name, sizeof(name)))
			return false;
	if (!take(f, '='))
		return false;
	take_value(f, value, sizeof(value));
	if (same(type, "smtp") && same(name, "helo"))
		s->on_helo = true;
	else if (same(type, "smtp") && same(name, "mailfrom"))
		s->on_mail_from = true;
	else if (same(type, "policy") && same(name, "dmarc"))
		s->policy = policy_of(value, strlen(value));
	return true;
}

static bool
take_result(struct field *f, struct result *s)
{
	*s = (struct result){ .version = "1" };
	f->said = DMARC_UNKNOWN;
	if (!take_method(f, s))
		return false;
	for (skip(f); *f->at != ';' && *f->at != '\0'; skip(f))
		if (!take_property(f, s))
			return false;
	if (s->policy == DMARC_UNKNOWN)
		s->policy = f->said;
	return true;
}

static enum auth_verdict
verdict_of(const char *word)
{
	static const struct {
		const char *word;
		enum auth_verdict verdict;
	} words[] = {
		{ "pass", AUTH_PASS },
		{ "fail", AUTH_FAIL },
		{ "hardfail", AUTH_FAIL },
		{ "none", AUTH_GRAY },
		{ "neutral", AUTH_GRAY },
		{ "softfail", AUTH_GRAY },
		{ "policy", AUTH_GRAY },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (same(word, words[i].word))
			return words[i].verdict;
	return AUTH_PROCESSING_FAILED;
}

/* Two that differ were not written by one checker about one sender. */
static void
merge_spf(struct found *t, const struct result *s, enum auth_verdict v)
{
	const unsigned rank = s->on_helo && !s->on_mail_from ? 1 : 2;

	if (rank > t->spf_rank)
		t->spf = v;
	else if (rank == t->spf_rank && v != t->spf)
		t->spf = AUTH_PROCESSING_FAILED;
	if (rank > t->spf_rank)
		t->spf_rank = rank;
}

static void
merge_dmarc(struct found *t, const struct result *s, enum auth_verdict v)
{
	if (!t->has_dmarc) {
		t->has_dmarc = true;
		t->dmarc_result = v;
		t->dmarc = s->policy;
	} else if (v != t->dmarc_result) {
		t->dmarc_result = AUTH_PROCESSING_FAILED;
		t->dmarc = DMARC_UNKNOWN;
	} else if (s->policy != t->dmarc) {
		t->dmarc = DMARC_UNKNOWN;
	}
}

/* A word that nobody knows is a result, too: what a sender wrote below must
 * not take its place. */
static void
merge_result(struct found *t, const struct result *s)
{
	enum auth_verdict v = AUTH_PROCESSING_FAILED;

	if (strcmp(s->version, "1") == 0)
		v = verdict_of(s->word);
	if (same(s->method, "spf")) {
		merge_spf(t, s, v);
	} else if (same(s->method, "dkim")) {
		t->has_dkim = true;
		if (v > t->dkim)
			t->dkim = v;
	} else if (same(s->method, "dmarc")) {
		merge_dmarc(t, s, v);
	}
}

/* Of each method the topmost field counts, but the job goes before that. */
static void
merge_field(struct authres *r, const struct found *t, unsigned trust)
{
	if (t->spf_rank > 0 && trust > r->spf_trust) {
		r->spf_trust = trust;
		r->spf = t->spf;
	}
	if (t->has_dkim && trust > r->dkim_trust) {
		r->dkim_trust = trust;
		r->dkim = t->dkim;
	}
	if (t->has_dmarc && trust > r->dmarc_trust) {
		r->dmarc_trust = trust;
		r->dmarc_result = t->dmarc_result;
		r->dmarc = t->dmarc;
	}
	r->seen = true;
}

/* All behind the authserv-id, to the end of the field. */
static bool
take_results(struct field *f, struct found *t)
{
	char version[4];
	struct result s;

	skip(f);
	if (*f->at != ';' && *f->at != '\0' &&
	    (!take_value(f, version, sizeof(version)) ||
	     strcmp(version, "1") != 0))
		return false;
	while (take(f, ';')) {
		skip(f);
		if (*f->at == '\0')
			break;
		if (!take_result(f, &s))
			return false;
		merge_result(t, &s);
	}
	return *f->at == '\0' && !f->bad;
}

static enum authres_field
add(struct authres *r, const char *value, const char *authserv_id,
    const char *job, bool bound)
{
	struct field f = { .at = value };
	struct found found = { 0 };
	char word[WORD_MAX];
	bool with_job, ours;

	if (!take_word(&f, " \t;(/", word, sizeof(word)) ||
	    !is_id(word, authserv_id))
		return AUTHRES_OF_OTHERS;
	with_job = *f.at == '/';
	ours = !bound && !r->forged;
	if (with_job) {
		f.at++;
		ours = take_value(&f, word, sizeof(word)) && job != NULL &&
		       strcmp(word, job) == 0;
	}
	if (!ours || !take_results(&f, &found)) {
		r->forged = true;
		return AUTHRES_FORGED;
	}
	merge_field(r, &found, with_job ? 2 : 1);
	return AUTHRES_BELIEVED;
}

enum authres_field
authres_add(struct authres *r, const char *value, const char *authserv_id,
	    const char *job)
{
	return add(r, value, authserv_id, job, false);
}

enum authres_field
authres_add_bound(struct authres *r, const char *value,
		  const char *authserv_id, const char *job)
{
	return add(r, value, authserv_id, job, true);
}
