#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "decode.h"
#include "transfer.h"

#define CHARSET_MAX ((size_t)40)	/* bytes of a name */
#define REPLACEMENT "\xef\xbf\xbd"

/* The first ones are read without iconv; the others are asked for by these
 * names, and GMime knows what the C library calls them. */
static const char *const charsets[] = {
	"utf-8", "utf8", "us-ascii", "ascii",
	"iso-8859-1", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5",
	"iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-8-i",
	"iso-8859-9", "iso-8859-10", "iso-8859-11", "iso-8859-13",
	"iso-8859-14", "iso-8859-15", "iso-8859-16", "latin1",
	"iso8859-1", "iso8859-2", "iso8859-9", "iso8859-15", "iso_8859-1",
	"windows-1250", "windows-1251", "windows-1252", "windows-1253",
	"windows-1254", "windows-1255", "windows-1256", "windows-1257",
	"windows-1258", "windows-874", "cp1250", "cp1251", "cp1252", "cp1253",
	"cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8-ru",
	"koi8-r", "koi8-u", "ibm437", "cp437", "ibm850", "cp850", "ibm852",
	"cp852", "ibm866", "cp866", "macintosh", "tis-620", "viscii",
	"iso-2022-jp", "iso-2022-jp-2", "shift_jis", "shift-jis", "x-sjis",
	"sjis", "windows-31j", "cp932", "euc-jp", "eucjp",
	"iso-2022-kr", "euc-kr", "ks_c_5601-1987", "cp949", "uhc",
	"windows-949", "gb2312", "gbk", "cp936", "windows-936", "gb18030",
	"big5", "big-5", "cp950", "big5-hkscs", "utf-7",
};

#define CHARSETS (sizeof(charsets) / sizeof(charsets[0]))
#define AS_IT_IS 4	/* of these */

/* Open ones keep their tables loaded; nobody converts with them. */
static iconv_t kept[CHARSETS];
static bool ready;

struct word {
	size_t charset;		/* CHARSETS: unknown */
	char encoding;
	const char *text;
	size_t n;
	const char *end;	/* behind "?=" */
};

struct decoding {
	struct buf out;		/* UTF-8 */
	struct buf bytes;	/* of the words side by side */
	size_t charset;		/* theirs; CHARSETS: there are none */
	iconv_t cd;		/* to UTF-8 ... */
	size_t cd_charset;	/* ... from; CHARSETS: none is open */
	bool no_end;		/* there is no "?=" any more */
	bool body;		/* controls stay */
};

void
decode_init(void)
{
	if (ready)
		return;
	g_mime_init();
	for (size_t i = AS_IT_IS; i < CHARSETS; i++)
		kept[i] = g_mime_iconv_open("UTF-8", charsets[i]);
	ready = true;
}

static size_t
charset_of(const char *name, size_t n)
{
	const char *language = memchr(name, '*', n);
	size_t i = 0;

	if (language != NULL)
		n = (size_t)(language - name);
	while (i < CHARSETS && (strlen(charsets[i]) != n ||
				strncasecmp(charsets[i], name, n) != 0))
		i++;
	if (i >= AS_IT_IS && i < CHARSETS &&
	    (!ready || kept[i] == (iconv_t)-1))
		i = CHARSETS;
	return i;
}

/* strstr(3) for two bytes, but it is linear under sanitizers as well: theirs
 * measures all that follows, at each call. */
static const char *
find_pair(const char *s, char one, char two)
{
	while ((s = strchr(s, one)) != NULL && s[1] != two)
		s++;
	return s;
}

/* "=?CHARSET?B?TEXT?=" at p; blanks and question marks in the text are as
 * wrong as they are common. */
static bool
word_at(const char *p, struct decoding *d, struct word *w_r)
{
	const char *name = p + 2;
	size_t n = 0;

	while (n < CHARSET_MAX && name[n] != '?' && name[n] != '\0')
		n++;
	if (d->no_end || name[n] != '?' || name[n + 1] == '\0' ||
	    strchr("BbQq", name[n + 1]) == NULL || name[n + 2] != '?')
		return false;
	w_r->charset = charset_of(name, n);
	w_r->encoding = name[n + 1];
	w_r->text = name + n + 3;
	w_r->end = find_pair(w_r->text, '?', '=');
	d->no_end = w_r->end == NULL;
	if (d->no_end)
		return false;
	w_r->n = (size_t)(w_r->end - w_r->text);
	w_r->end += 2;
	return true;
}

/* Bytes of the character at s, 0 if it is none; then *bad_r bytes of it are to
 * be left out (Unicode, "maximal subpart"). */
static size_t
character(const unsigned char *s, size_t n, size_t *bad_r)
{
	const unsigned char c = s[0];
	const size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	const unsigned char least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	const unsigned char most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

	*bad_r = 1;
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || n < 2 || s[1] < least || s[1] > most)
		return 0;
	while (*bad_r < length && *bad_r < n && (s[*bad_r] & 0xc0) == 0x80)
		++*bad_r;
	return *bad_r == length ? length : 0;
}

static bool
is_control(const unsigned char *s, size_t n)
{
	return s[0] < 0x20 || s[0] == 0x7f ||
	       (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

static bool
is_reversing(const unsigned char *s, size_t n)
{
	return n == 3 && s[0] == 0xe2 &&
	       ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
		(s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

static void
add_utf8(struct decoding *d, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	struct buf *out = &d->out;
	size_t plain = d->body ? n : 0, bad;

	while (plain < n) {
		const size_t length = character(s + plain, n - plain, &bad);

		if (length > 0 && !is_control(s + plain, length) &&
		    !is_reversing(s + plain, length)) {
			plain += length;
			continue;
		}
		buf_add(out, s, plain);
		if (length > 0 && is_control(s + plain, length))
			buf_add(out, " ", 1);
		else
			buf_add(out, REPLACEMENT, sizeof(REPLACEMENT) - 1);
		s += plain + bad;
		n -= plain + bad;
		plain = 0;
	}
	buf_add(out, s, plain);
}

/* Hebrew and Vietnamese letters wait in the converter for a sign that may
 * follow. This forgets shifts, so it is not for the middle of ISO 2022. */
static void
add_waiting(struct decoding *d)
{
	char room[16], *to = room;
	size_t unused = sizeof(room);

	iconv(d->cd, NULL, NULL, &to, &unused);
	add_utf8(d, room, sizeof(room) - unused);
}

/* What a charset has no meaning for is left out byte by byte. */
static void
convert(struct decoding *d)
{
	const bool shifts = strncmp(charsets[d->charset], "iso-2022", 8) == 0;
	char room[1024], *from = d->bytes.data;
	size_t left = d->bytes.len;

	iconv(d->cd, NULL, NULL, NULL, NULL);
	while (left > 0) {
		char *to = room;
		size_t unused = sizeof(room);
		const size_t done = iconv(d->cd, &from, &left, &to, &unused);
		const int why = done == (size_t)-1 ? errno : 0;

		add_utf8(d, room, sizeof(room) - unused);
		if (why == 0 || why == E2BIG)
			continue;
		if (!shifts)
			add_waiting(d);
		buf_add(&d->out, REPLACEMENT, sizeof(REPLACEMENT) - 1);
		if (why == EINVAL)	/* cut off at the end */
			return;
		from++;
		left--;
	}
	add_waiting(d);
}

static void
close_converter(struct decoding *d)
{
	if (d->cd_charset < CHARSETS)
		g_mime_iconv_close(d->cd);
	d->cd_charset = CHARSETS;
}

static void
end_words(struct decoding *d)
{
	if (d->charset < AS_IT_IS) {
		add_utf8(d, d->bytes.data, d->bytes.len);
	} else if (d->charset < CHARSETS) {
		if (d->cd_charset != d->charset) {
			close_converter(d);
			d->cd = g_mime_iconv_open("UTF-8",
						  charsets[d->charset]);
			if (d->cd != (iconv_t)-1)
				d->cd_charset = d->charset;
		}
		if (d->cd_charset == d->charset)
			convert(d);
		else
			add_utf8(d, d->bytes.data, d->bytes.len);
	}
	buf_clear(&d->bytes);
	d->charset = CHARSETS;
}

static void
add_plain(struct decoding *d, const char *s, size_t n)
{
	if (n == 0)
		return;
	end_words(d);
	add_utf8(d, s, n);
}

static void
add_word(struct decoding *d, const struct word *w)
{
	if (w->encoding == 'B' || w->encoding == 'b')
		transfer_base64(&d->bytes, w->text, w->n);
	else
		transfer_q(&d->bytes, w->text, w->n);
}

static bool
is_all_blank(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at == end;
}

bool
decode_charset(const char *charset, const char *bytes, size_t n,
	       struct buf *out)
{
	struct decoding d = {
		.charset = charset_of(charset, strlen(charset)),
		.cd_charset = CHARSETS, .out = *out, .body = true,
	};

	if (d.charset == CHARSETS)
		return false;
	buf_init(&d.bytes, n);
	buf_add(&d.bytes, bytes, n);
	end_words(&d);
	close_converter(&d);
	buf_free(&d.bytes);
	*out = d.out;
	return true;
}

const char *
decode_text(const char *value, struct arena *a)
{
	struct decoding d = { .charset = CHARSETS, .cd_charset = CHARSETS };
	const char *p = value, *next, *text;
	struct word w;

	buf_init(&d.out, 4 * strlen(value) + 4);
	buf_init(&d.bytes, strlen(value) + 4);
	for (; (next = find_pair(p, '=', '?')) != NULL; p = w.end) {
		if (!word_at(next, &d, &w)) {
			w.end = next + 2;
			w.charset = CHARSETS;
		}
		if (w.charset == CHARSETS) {
			add_plain(&d, p, (size_t)(w.end - p));
			continue;
		}
		if (d.charset == CHARSETS || !is_all_blank(p, next))
			add_plain(&d, p, (size_t)(next - p));
		if (d.charset != w.charset)
			end_words(&d);
		d.charset = w.charset;
		add_word(&d, &w);
	}
	end_words(&d);
	add_plain(&d, p, strlen(p));
	close_converter(&d);
	text = arena_strndup(a, d.out.len > 0 ? d.out.data : "", d.out.len);
	buf_free(&d.out);
	buf_free(&d.bytes);
	return text;
}
