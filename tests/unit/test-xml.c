#include <config.h>

#include "lib/aws/xml.h"
#include "unit.h"

static char seen[65536];

static int
note(void *owner, const char *path, const char *text, struct err *e)
{
	size_t n = strlen(seen);

	if (strcmp(text, "stop") == 0)
		return err_set(e, ERR_PERM, "told to stop");
	assert_ptr_equal(owner, seen);
	snprintf(seen + n, sizeof(seen) - n, "%s=%s\n", path, text);
	return 0;
}

static const struct xml_reader reader = { seen, note };

/* In parts of step bytes. */
static int
read_parts(const char *text, size_t n, size_t step, struct err *e)
{
	struct xml *x = xml_new(&reader);
	int r = 0;

	seen[0] = '\0';
	*e = (struct err){ .text = "" };
	for (size_t at = 0; r == 0 && at < n; at += step)
		r = xml_add(x, text + at, n - at < step ? n - at : step, e);
	if (r == 0)
		r = xml_end(x, e);
	xml_free(x);
	return r;
}

struct good {
	const char *text, *seen;
};

static const struct good goods[] = {
	{ "<a/>", "a=\n" },
	{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b>x</b>\n</a>\n",
	  "a/b=x\na=\n\n" },
	{ "<a xmlns=\"http://x/\" k='v'><b>1</b><b>2</b></a>",
	  "a/b=1\na/b=2\na=\n" },
	{ "<s:a xmlns:s=\"http://x/\"><s:b>1</s:b></s:a>", "a/b=1\na=\n" },
	{ "<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>", "a=<&>\"'AB\n" },
	{ "<a><![CDATA[<b>&amp;]]></a>", "a=<b>&amp;\n" },
	{ "<a>x<!-- c -->y<?p i?>z</a>", "a=xyz\n" },
	{ "<a>\xc3\xbc</a>", "a=\xc3\xbc\n" },
};

static void
elements_are_told_with_their_path(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		const size_t n = strlen(goods[i].text);

		ROW(goods[i].text);
		for (size_t step = 1; step <= n; step++) {
			assert_int_equal(read_parts(goods[i].text, n, step,
						    &e), 0);
			assert_string_equal(seen, goods[i].seen);
		}
	}
}

struct bad {
	const char *text, *why;
};

/* F21, F23 */
static const struct bad bads[] = {
	{ "", "well-formed" },
	{ "no XML", "well-formed" },
	{ "<html><body>Bad Gateway<br></body></html>", "well-formed" },
	{ "<a>", "well-formed" },
	{ "<a></b>", "well-formed" },
	{ "<a/><a/>", "well-formed" },
	{ "<a>&b;</a>", "well-formed" },
	{ "<a>\x01</a>", "well-formed" },
	{ "<a>\xff</a>", "well-formed" },
	{ "<!DOCTYPE a><a/>", "DOCTYPE" },
	{ "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "DOCTYPE" },
	{ "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;\">]>"
	  "<a>&c;</a>", "DOCTYPE" },
	{ "<a><b>stop</b></a>", "told to stop" },
};

static void
what_no_server_sends_is_refused(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		const size_t n = strlen(bads[i].text);

		ROW(bads[i].text);
		for (size_t step = 1; step <= n + 1; step++) {
			assert_int_equal(read_parts(bads[i].text, n, step,
						    &e), -1);
			assert_non_null(strstr(e.text, bads[i].why));
		}
	}
}

static void
a_failure_lasts(void **state)
{
	struct xml *x = xml_new(&reader);
	struct err e;

	(void)state;
	seen[0] = '\0';
	assert_int_equal(xml_add(x, "<a></b>", 7, &e), -1);
	assert_int_equal(xml_add(x, "<a/>", 4, &e), -1);
	assert_int_equal(xml_end(x, &e), -1);
	assert_string_equal(seen, "");
	xml_free(x);
	xml_free(NULL);
}

/* F22: as deep, as long in one text, and as long in all as it may be. */
static void
sizes_have_an_end(void **state)
{
	static char text[XML_TEXT_MAX + 16];
	static char block[65536];
	struct xml *x;
	struct err e;

	(void)state;
	for (size_t depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1;
	     depth++) {
		int at = 0;

		for (size_t i = 0; i < 2 * depth; i++)
			at += snprintf(text + at, sizeof(text) - (size_t)at,
				       i < depth ? "<a>" : "</a>");
		assert_int_equal(read_parts(text, strlen(text), 64, &e),
				 depth > XML_DEPTH_MAX ? -1 : 0);
	}
	for (size_t n = XML_TEXT_MAX; n <= XML_TEXT_MAX + 1; n++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "<a>", 3);
		memcpy(text + 3 + n, "</a>", 5);
		assert_int_equal(read_parts(text, n + 7, 1000, &e),
				 n > XML_TEXT_MAX ? -1 : 0);
	}
	x = xml_new(&reader);
	memset(block, '\n', sizeof(block));
	for (size_t at = 0; at + 4 < sizeof(block); at += 4096)
		memcpy(block + at, "<c/>", 4);
	assert_int_equal(xml_add(x, "<a>", 3, &e), 0);
	for (size_t n = 3; n + sizeof(block) <= XML_MAX; n += sizeof(block)) {
		seen[0] = '\0';
		assert_int_equal(xml_add(x, block, sizeof(block), &e), 0);
	}
	assert_int_equal(xml_add(x, block, sizeof(block), &e), -1);
	assert_non_null(strstr(e.text, "longer"));
	xml_free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_told_with_their_path),
		cmocka_unit_test(what_no_server_sends_is_refused),
		cmocka_unit_test(a_failure_lasts),
		cmocka_unit_test(sizes_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
