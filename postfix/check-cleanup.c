/*
 * What cleanup(8) is told: it asks about mail that no smtpd has taken, and does
 * what milters want done.
 */
#include <config.h>

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "check-private.h"

static const char original[] = "enable_original_recipient";

static bool
is_off(const struct postfix *p, const struct service *s)
{
	return strcasecmp(postconf_value(&p->conf, s, original), "no") == 0;
}

/* s: the service that says so itself; NULL: main.cf. */
static void
tell_off(struct postfix *p, const struct service *s)
{
	postfix_fail(p, "postfix", EX_CONFIG,
		     s ? remedy_service(p, s, original, "yes") :
		     remedy_main(p, original, "yes"),
		     "%s is off%s%s: mail can be lost when a rule drops or "
		     "replaces a recipient that is an alias", original,
		     s ? " in " : "", s ? s->id : "");
}

/* Without it Postfix holds who is added for a second copy of who was removed,
 * if an alias led there, and nobody gets the mail. */
void
check_recipients(struct postfix *p)
{
	bool by_main = false;

	for (size_t i = 0; i < p->conf.services_n; i++) {
		const struct service *s = &p->conf.services[i];

		if (strcmp(s->command, "cleanup") != 0 || !is_off(p, s))
			continue;
		if (postconf_own(s, original) != NULL)
			tell_off(p, s);
		else
			by_main = true;
	}
	if (by_main)
		tell_off(p, NULL);
}

/* Mail that nobody could be told about: not ours. */
void
check_sendmail(struct postfix *p)
{
	bool told = false;

	for (size_t i = 0; i <= p->conf.services_n; i++) {
		const struct service *s = i > 0 ? &p->conf.services[i - 1] :
					  NULL;
		struct asked a;

		if (s != NULL && postconf_own(s, "non_smtpd_milters") == NULL)
			continue;
		a = postfix_asked(p, s, "non_smtpd_milters");
		if (a.first == NULL)
			continue;
		told = true;
		postfix_fail(p, "sendmail", EX_CONFIG, remedy_not_ask(p, &a),
			     "non_smtpd_milters%s%s has the milter: mail of "
			     "this machine that it refuses stays in the queue",
			     s ? " of " : "", s ? s->id : "");
	}
	if (!told)
		postfix_ok(p, "sendmail", "mail that does not come by SMTP is "
			   "not asked about");
}
