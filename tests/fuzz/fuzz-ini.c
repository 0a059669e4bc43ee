#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/aws/ini.h"

static bool
inside(const struct ini *i, const char *s)
{
	return s == NULL || (s >= i->text && s <= i->text + i->len);
}

static void
ini_ok(const struct ini *i)
{
	for (size_t k = 0; k < i->n; k++) {
		const struct ini_entry *x = &i->entries[k];

		PROMISE(x->section != NULL && x->key != NULL &&
			x->value != NULL && x->line > 0);
		/* Empty ones are constants. */
		PROMISE(inside(i, x->block));
		PROMISE(*x->section == '\0' || inside(i, x->section));
		PROMISE(*x->key == '\0' || inside(i, x->key));
		PROMISE(*x->value == '\0' || inside(i, x->value));
		PROMISE(strlen(x->value) <= i->len);
		PROMISE(strpbrk(x->key, "\n=ABCXYZ") == NULL);
		PROMISE(k + 40 < i->n || ini_has(i, x->section));
		/* Each look-up reads all of it. */
		PROMISE(k + 40 < i->n || ini_get(i, x->section, x->block,
						 x->key) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = INI_SHARED; kind <= INI_BARE; kind++) {
		struct ini i;
		struct err e = { .text = "" };

		if (ini_parse(&i, (enum ini_kind)kind, "f",
			      (const char *)data, size, &e) == 0)
			ini_ok(&i);
		else
			PROMISE(e.kind == ERR_STOP && i.text == NULL &&
				strncmp(e.text, "cannot read f:", 14) == 0);
		ini_free(&i);
	}
	return 0;
}
