#include <config.h>

#include <sysexits.h>

#include "lib/base/buf.h"
#include "postfix/table.h"
#include "scratch.h"

#define LINES_MAX ((size_t)65536)

/* A list of tables, @ for a file with text -> "KEY|VALUE|LINE " of each, "!"
 * where one cannot be read. */
static const struct {
	const char *list, *text, *wanted;
} lists[] = {
	{ "", "", "" },
	{ " , ", "", "" },
	{ "static:unix:a/b", "", "all|unix:a/b|0 " },
	{ "static:{ unix:a, unix:b }, tcp:h:1", "",
	  "all| unix:a, unix:b|0 !" },
	{ "inline:{ {a = unix:x, unix:y}, b=DISABLE }", "",
	  "a|unix:x, unix:y|0 b|DISABLE|0 " },
	{ "hash:none, cidr:/none/such", "", "!!" },
	{ "cidr:@", "", "" },
	{ "cidr:@", "# a\n1.2.3.0/24 x\n\n!1.2.3.4  y \nif 1.0.0.0/8\nendif\n",
	  "1.2.3.0/24|x|2 !1.2.3.4|y|4 " },
	{ "texthash:@", "\"a b\" x\nc\n  y,\n# z\n z",
	  "\"a b\"|x|1 c|y, z|2 " },
	{ "pcre:@", "/a b\\/c/i x\n!/d/ y\nif /e/\n/f/ z\nENDIF\n",
	  "/a b\\/c/i|x|1 !/d/|y|2 /f/|z|4 " },
	/* What Postfix would refuse is taken apart without harm. */
	{ "inline:{", "", "!" },
	{ "inline:{}", "", "" },
	{ "inline:{ { }", "", "" },
	{ "inline:{{}", "", "" },
	{ "inline:{ =, {=} }", "", "||0 ||0 " },
	{ ":, x:", "", "!!" },
	{ "regexp:@", "/a\n\\\n\"b", "/a||1 \\||2 \"b||3 " },
	{ "cidr:@", " only\n  more", "only|more|0 " },
};

static void
show(const char *list, struct buf *out)
{
	struct arena a = { NULL };
	struct table_entry *all;
	const char *table;
	struct err e;
	size_t n;

	while ((table = table_next(&list, &a)) != NULL) {
		if (table_read(table, &a, &all, &n, &e) < 0) {
			assert_int_equal(e.code, EX_CONFIG);
			buf_printf(out, "!");
			continue;
		}
		for (size_t i = 0; i < n; i++)
			buf_printf(out, "%s|%s|%zu ", all[i].key, all[i].value,
				   all[i].line);
	}
	arena_free(&a);
}

static void
reads_tables(const char *dir)
{
	const char *file = scratch_path("%s/table", dir);

	for (size_t i = 0; i < COUNT(lists); i++) {
		const char *at = strchr(lists[i].list, '@');
		struct buf list, out;

		ROW(lists[i].list);
		buf_init(&list, LINES_MAX);
		buf_init(&out, LINES_MAX);
		scratch_text(file, lists[i].text);
		if (at == NULL)
			buf_printf(&list, "%s", lists[i].list);
		else
			buf_printf(&list, "%.*s%s", (int)(at - lists[i].list),
				   lists[i].list, file);
		show(list.data ? list.data : "", &out);
		assert_string_equal(out.data ? out.data : "",
				    lists[i].wanted);
		buf_free(&list);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(reads_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
