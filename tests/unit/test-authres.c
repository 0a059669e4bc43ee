#include <config.h>

#include "lib/mail/authres.h"
#include "unit.h"

#define ID "mx.example"
#define JOB "4bXyz1"

/* Fields with line feeds between them; spf, dkim, dmarc and the policy in
 * letters: P pass, F fail, G gray, - processing failed; n, q, r, - unknown;
 * then s: seen, f: forged. */
struct row {
	const char *fields, *wanted;
};

static const struct row results[] = {
	{ "", "----" },
	{ ID, "----s" },
	{ ID ";", "----s" },
	{ ID "; none", "----s" },
	{ ID " 1; none", "----s" },
	{ ID "; spf=pass", "P---s" },
	{ ID ";spf=pass;dkim=fail;dmarc=none", "PFG-s" },
	{ "MX.Example; SPF=Pass", "P---s" },
	{ "\"mx.example\"; spf=pass", "P---s" },
	{ "\"mx\\.example\"; spf=pass", "P---s" },
	{ "mx.example.; spf=pass", "P---s" },
	{ "\"MX.example.\" 1; spf=pass", "P---s" },
	{ "mx.example..; spf=pass", "----" },
	{ ".mx.example; spf=pass", "----" },
	{ ".; spf=pass", "----" },
	{ "(a) mx.example (b) 1 (c) ; (d) spf (e) = (f) pass (g)", "P---s" },
	{ ID "; spf/1=pass; dkim / 1 = pass", "PP--s" },
	{ ID "; spf=fail", "F---s" },
	{ ID "; spf=hardfail", "F---s" },
	{ ID "; spf=softfail", "G---s" },
	{ ID "; spf=neutral", "G---s" },
	{ ID "; spf=none", "G---s" },
	{ ID "; spf=policy", "G---s" },
	{ ID "; spf=temperror", "----s" },
	{ ID "; spf=permerror", "----s" },
	{ ID "; spf=splendid", "----s" },
	{ ID "; spf/2=pass", "----s" },
	{ ID "; x-spf=pass; spfx=pass; sender-id=pass", "----s" },
	{ ID "; spf=pass smtp.mailfrom=a@b; dkim=pass header.d=b "
	  "header.b=\"a/b+c=\"; dmarc=pass header.from=b", "PPP-s" },
	{ ID "; dkim=pass reason=\"good; dkim=fail (\" header.i=@b",
	  "-P--s" },
	{ ID "; spf=fail smtp.mailfrom=\"a; spf=pass \"@b", "F---s" },
	{ ID "; spf=none smtp.mailfrom=; dkim=pass", "GP--s" },
	{ ID "; spf=pass smtp.helo=; spf=fail smtp.mailfrom=; dkim=pass",
	  "FP--s" },
	{ ID "; spf=pass smtp . mailfrom = a@b", "P---s" },
	/* several of one method */
	{ ID "; dkim=fail; dkim=pass; dkim=none", "-P--s" },
	{ ID "; dkim=none; dkim=fail", "-F--s" },
	{ ID "; dkim=temperror; dkim=none", "-G--s" },
	{ ID "; dkim=permerror; dkim=temperror", "----s" },
	{ ID "; spf=fail; spf=fail", "F---s" },
	{ ID "; spf=pass smtp.helo=b; spf=fail smtp.mailfrom=a@b", "F---s" },
	{ ID "; spf=fail smtp.mailfrom=a@b; spf=pass smtp.helo=b", "F---s" },
	{ ID "; spf=pass smtp.mailfrom=a@b smtp.helo=c; spf=fail smtp.helo=c",
	  "P---s" },
	{ ID "; dmarc=fail (p=none); dmarc=fail (p=none)", "--Fns" },
	/* that differ: a name that nobody quoted brought one of them */
	{ ID "; spf=fail; spf=pass", "----s" },
	{ ID "; spf=pass helo=x;spf=pass; spf=fail; spf=pass", "----s" },
	{ ID "; spf=pass smtp.mailfrom=a@b smtp.helo=c; spf=fail", "----s" },
	{ ID "; spf=pass smtp.helo=a; spf=fail smtp.helo=b", "----s" },
	{ ID "; spf=fail smtp.helo=a; spf=pass smtp.helo=b; spf=none",
	  "G---s" },
	{ ID "; spf=temperror; spf=pass", "----s" },
	{ ID "; dmarc=pass; dmarc=fail", "----s" },
	{ ID "; dmarc=fail; dmarc=pass; dmarc=pass (p=reject)", "----s" },
	{ ID "; dmarc=fail (p=none); dmarc=temperror (p=none)", "----s" },
	{ ID "; dmarc=temperror (p=none); dmarc=pass (p=none)", "----s" },
	{ ID "; dmarc=fail (p=none); dmarc=fail (p=reject)", "--F-s" },
	{ ID "; dmarc=fail (p=none); dmarc=fail; dmarc=fail (p=none)",
	  "--F-s" },
	{ ID "; dkim=splendid; dkim=pass", "-P--s" },
	/* several fields */
	{ ID "; spf=pass\n" ID "; dkim=pass\n" ID "; dmarc=pass", "PPP-s" },
	{ ID "; dkim=fail\n" ID "; dkim=pass", "-F--s" },
	{ ID "; dkim=none; dkim=fail\n" ID "; dkim=pass; spf=fail", "FF--s" },
	{ ID "; spf=pass\n" ID "; dkim=none\n" ID "; dkim=pass", "PG--s" },
	{ ID "; spf=fail\n" ID "; spf=pass", "F---s" },
	/* what checkers write */
	{ ID "; spf=pass (spfCheck: domain of b.example designates 192.0.2.1 "
	  "as permitted sender) client-ip=192.0.2.1; envelope-from=a@b; "
	  "helo=c.example; dkim=pass header.i=@b; dmarc=none header.from=b;",
	  "PPG-s" },
	{ ID "; spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=b; dkim=none "
	  "(message not signed) header.d=none;dmarc=pass action=none "
	  "header.from=b;compauth=pass reason=100", "PGP-s" },
	{ ID ";\tdkim=pass (2048-bit key; unprotected) header.d=b "
	  "header.i=@b header.a=rsa-sha256 header.s=s header.b=Ab/C;\t"
	  "dkim-atps=neutral", "-P--s" },
};

static const struct row policies[] = {
	{ ID "; dmarc=pass (p=none dis=none) header.from=b", "--Pns" },
	{ ID "; dmarc=fail (p=REJECT sp=none dis=none)", "--Frs" },
	{ ID "; dmarc=fail header.from=b (policy=quarantine)", "--Fqs" },
	{ ID "; dmarc=fail (sp=none,p=reject)", "--Frs" },
	{ ID "; dmarc=fail (x) (p=reject)", "--Frs" },
	{ ID "; dmarc=fail ((p=reject))", "--Frs" },
	{ ID "; dmarc=fail policy.dmarc=quarantine", "--Fqs" },
	{ ID "; dmarc=fail policy.dmarc=\"quarantine\"", "--Fqs" },
	{ ID "; dmarc=fail (p=none) policy.dmarc=reject", "--Frs" },
	{ ID "; dmarc=fail policy.dmarc=reject (p=none)", "--Frs" },
	{ ID "; dmarc=fail (sp=reject)", "--F-s" },
	{ ID "; dmarc=fail (p=rejected)", "--F-s" },
	{ ID "; dmarc=fail (p= reject)", "--F-s" },
	{ ID "; dmarc=fail (xp=reject)", "--F-s" },
	{ ID "; dmarc=fail policy=reject", "--F-s" },
	{ ID "; spf=pass (p=reject); dmarc=fail", "P-F-s" },
	{ ID "; spf=pass policy.dmarc=reject; dmarc=fail", "P-F-s" },
	{ ID "; dmarc=fail; spf=pass (p=reject)", "P-F-s" },
};

static const struct row foreign[] = {
	{ "", "----" },
	{ ";", "----" },
	{ "; spf=pass", "----" },
	{ "mx.example.net; spf=pass", "----" },
	{ "mx; spf=pass", "----" },
	{ "\"mx.example \"; spf=pass", "----" },
	{ "(mx.example; spf=pass", "----" },
	{ "(mx.example); spf=pass", "----" },
	{ "evil mx.example; spf=pass", "----" },
	{ "evil; x=y; mx.example; spf=pass", "----" },
	{ "\"mx.example; spf=pass", "----" },
	/* it says that it is ours, and is not believed */
	{ ID " 2; spf=pass", "----f" },
	{ ID " 10; spf=pass", "----f" },
	{ ID " x; spf=pass", "----f" },
	{ ID " spf=pass", "----f" },
	{ ID "; spf", "----f" },
	{ ID "; spf pass", "----f" },
	{ ID "; spf=", "----f" },
	{ ID "; =pass", "----f" },
	{ ID ";; spf=pass", "----f" },
	{ ID "; spf=pass;; dkim=pass", "----f" },
	{ ID "; spf=pass; ; ", "----f" },
	{ ID "; spf=pass; ", "P---s" },
	{ ID "; spf=pass; none", "P---s" },
	{ ID "; none; spf=pass", "----f" },
	{ ID "; spf=pass header.from", "----f" },
	{ ID "; spf=pass (never ends", "----f" },
	{ ID "; spf=pass reason=\"never ends", "----f" },
	{ ID "; spf=pass; dkim=pass (\\)", "----f" },
	/* all of the field or nothing; other fields stay */
	{ ID "; spf=fail\n" ID "; spf=pass; dkim=pass (", "F---sf" },
};

/* What a sender wrote under our name, below our own or below what became of
 * it: in the place of no result of ours, be it good or not. */
static const struct row below[] = {
	{ ID "; dkim=fail\n" ID "; dkim=pass", "-F--s" },
	{ ID "; dkim=none\n" ID "; dkim=fail\n" ID "; dkim=pass", "-G--s" },
	{ ID "; dkim=temperror\n" ID "; dkim=pass", "----s" },
	{ ID "; dkim=splendid\n" ID "; dkim=pass", "----s" },
	{ ID "; dkim/2=fail\n" ID "; dkim=pass", "----s" },
	{ ID "; spf=splendid\n" ID "; spf=pass", "----s" },
	{ ID "; spf=temperror\n" ID "; spf=pass", "----s" },
	{ ID "; spf=fail smtp.helo=b\n" ID "; spf=pass smtp.mailfrom=a@b",
	  "F---s" },
	{ ID "; dmarc=bestguess (p=none)\n" ID "; dmarc=pass (p=none)",
	  "---ns" },
	{ ID "; dmarc=fail\n" ID "; dmarc=fail (p=none)", "--F-s" },
	/* a HELO name broke ours */
	{ ID "; spf=fail smtp.helo=x(; dkim=fail\n"
	  ID "; spf=pass; dkim=pass; dmarc=pass", "----f" },
	{ ID "; spf=fail smtp.helo=\"\n" ID "; dkim=pass", "----f" },
	{ ID "; spf=pass; dkim=pass (\n" ID "; spf=fail", "----f" },
	{ ID " 2; dkim=fail\n" ID "; dkim=pass", "----f" },
	{ ID "/other; dkim=fail\n" ID "; dkim=pass", "----f" },
	{ ID "; spf=pass\n" ID "; dkim=fail (\n" ID "; dkim=pass", "P---sf" },
	/* others may stand between */
	{ "evil (\n" ID "; dkim=pass", "-P--s" },
	{ ID ".net (\n" ID "; dkim=pass", "-P--s" },
};

static const struct row jobs[] = {
	{ ID "/" JOB "; spf=pass", "P---s" },
	{ ID "/" JOB " 1; spf=pass", "P---s" },
	{ ID "./" JOB "; spf=pass", "P---s" },
	{ ID "./other; spf=pass", "----f" },
	{ ID "/other; spf=pass", "----f" },
	{ ID "/4bXyz12; spf=pass", "----f" },
	{ ID "/4bxyz1; spf=pass", "----f" },
	{ ID "/; spf=pass", "----f" },
	{ ID "/" JOB "/" JOB "; spf=pass", "----f" },
	/* the right job goes before none, method by method */
	{ ID "; dkim=pass\n" ID "/" JOB "; dkim=fail", "-F--s" },
	{ ID "/" JOB "; dkim=fail\n" ID "; dkim=pass", "-F--s" },
	{ ID "/" JOB "; dkim=fail\n" ID "; spf=pass", "PF--s" },
	{ ID "; spf=pass\n" ID "/" JOB "; spf=fail smtp.helo=b", "F---s" },
	{ ID "; dmarc=pass (p=none)\n" ID "/" JOB "; dmarc=fail (p=reject)",
	  "--Frs" },
	{ ID "/" JOB "; dkim=none\n" ID "/other; dkim=pass", "-G--sf" },
	{ ID "/" JOB "; dkim=fail\n" ID "/" JOB "; dkim=pass", "-F--s" },
	{ ID "/" JOB "; spf=temperror\n" ID "; spf=pass", "----s" },
	/* and nobody can forge it */
	{ ID "; dkim=pass (\n" ID "/" JOB "; dkim=fail\n" ID "; spf=pass",
	  "-F--sf" },
	{ ID "/" JOB "; dkim=fail (\n" ID "; dkim=pass\n"
	  ID "/" JOB "; spf=pass", "P---sf" },
};

static const char *
shown(const struct authres *r)
{
	static const char verdicts[] = "-GFP", policies_[] = "-nqr";
	static char text[8];

	snprintf(text, sizeof(text), "%c%c%c%c%s%s", verdicts[r->spf],
		 verdicts[r->dkim], verdicts[r->dmarc_result],
		 policies_[r->dmarc], r->seen ? "s" : "",
		 r->forged ? "f" : "");
	return text;
}

static void
assert_rows(const struct row *rows, size_t n, const char *job)
{
	for (size_t i = 0; i < n; i++) {
		struct authres r = { 0 };
		char *copy = strdup(rows[i].fields), *rest = copy, *field;

		ROW(rows[i].fields);
		assert_non_null(copy);
		while ((field = strsep(&rest, "\n")) != NULL)
			authres_add(&r, field, ID, job);
		assert_string_equal(shown(&r), rows[i].wanted);
		free(copy);
	}
}

static void
reads_results(void **state)
{
	(void)state;
	assert_rows(results, COUNT(results), NULL);
	assert_rows(results, COUNT(results), JOB);
}

static void
reads_the_published_policy(void **state)
{
	(void)state;
	assert_rows(policies, COUNT(policies), NULL);
}

static void
believes_no_other_field(void **state)
{
	(void)state;
	assert_rows(foreign, COUNT(foreign), NULL);
	assert_rows(foreign, COUNT(foreign), JOB);
}

static void
believes_nothing_below(void **state)
{
	(void)state;
	assert_rows(below, COUNT(below), NULL);
	assert_rows(below, COUNT(below), JOB);
}

static void
binds_to_the_job(void **state)
{
	struct authres r = { 0 };

	(void)state;
	assert_rows(jobs, COUNT(jobs), JOB);
	authres_add(&r, ID "/" JOB "; spf=pass", ID, NULL);
	assert_string_equal(shown(&r), "----f");
}

static void
believes_only_what_is_bound(void **state)
{
	static const struct row rows[] = {
		{ ID "/" JOB "; spf=pass", "P---s" },
		{ ID "; spf=pass", "----f" },
		{ ID "/other; spf=pass", "----f" },
		{ "other.example; spf=pass", "----" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct authres r = { 0 };

		ROW(rows[i].fields);
		authres_add_bound(&r, rows[i].fields, ID, JOB);
		assert_string_equal(shown(&r), rows[i].wanted);
	}
}

static void
believes_nobody_without_a_name(void **state)
{
	struct authres r = { 0 };

	(void)state;
	authres_add(&r, "\"\"; spf=pass", "", NULL);
	assert_string_equal(shown(&r), "----");
}

/* Names that do not fit are no names of ours, however they begin. */
static void
takes_no_part_for_the_whole(void **state)
{
	char value[1100], id[512];

	(void)state;
	for (size_t n = 200; n < 300; n++) {
		struct authres r = { 0 };

		memset(id, 'a', n);
		id[n] = '\0';
		snprintf(value, sizeof(value), "%s; spf=pass", id);
		authres_add(&r, value, id, NULL);
		assert_int_equal(r.seen, n < 256);
		assert_false(r.forged);
		memset(&r, 0, sizeof(r));
		snprintf(value, sizeof(value), ID "; spf%s=pass; spf=pass%s",
			 id, id);
		authres_add(&r, value, ID, NULL);
		assert_string_equal(shown(&r), "----s");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_results),
		cmocka_unit_test(reads_the_published_policy),
		cmocka_unit_test(believes_no_other_field),
		cmocka_unit_test(believes_nothing_below),
		cmocka_unit_test(binds_to_the_job),
		cmocka_unit_test(believes_only_what_is_bound),
		cmocka_unit_test(believes_nobody_without_a_name),
		cmocka_unit_test(takes_no_part_for_the_whole),
	};

	return cmocka_run_group_tests_name("authres", tests, NULL, NULL);
}
