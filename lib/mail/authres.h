/*
 * authres - what our own checkers found: Authentication-Results (RFC 8601).
 *
 * Anybody can write such a field. Believed is only one whose authserv-id is
 * ours (ASCII case and a dot at the end ignored) with version 1 or none; where
 * it has the form "id/job" (OpenDKIM's AuthservIDWithJobID) the job must be
 * this message's queue id. Comments nest, values may be quoted strings; a
 * field that breaks the syntax is not believed at all, and counts as forged.
 * More lenient than the RFC in what real checkers write: a property may lack
 * its type ("action=none") or have an empty value ("smtp.mailfrom=;" of a mail
 * without sender), words that are no method are passed over (SES's ";
 * helo=..."), a semicolon may end the field.
 *
 * Results map to AWS's verdicts (API RuleVerdictExpression) as
 * fallbackmx-policy(5) says:
 *
 *   pass                              PASS
 *   fail, hardfail                    FAIL
 *   none, neutral, softfail, policy   GRAY
 *   all others, no field              PROCESSING_FAILED
 *
 * Ours stand above what a sender wrote, and not every checker takes that away:
 * of each method the topmost field that has it counts, alone; below one that
 * is not believed none without a job is. A result of a field with the right
 * job goes before those of fields without any, wherever they stand.
 * Of several in one field: DKIM is PASS if any passes, else FAIL if any fails,
 * else GRAY if any is; an SPF result on MAIL FROM goes before one on HELO; SPF
 * or DMARC results that differ are PROCESSING_FAILED, as a name that nobody
 * quoted may have brought one of them.
 * The policy that the sender's domain publishes: `policy.dmarc` (OpenDMARC
 * 1.4.2), else p= or policy= of a comment in the DMARC result.
 * Linear time, pure, no allocation.
 */
#ifndef FALLBACKMX_AUTHRES_H
#define FALLBACKMX_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

enum auth_verdict {
	AUTH_PROCESSING_FAILED,	/* also: nothing is known */
	AUTH_GRAY,
	AUTH_FAIL,
	AUTH_PASS,
};

enum dmarc_policy {
	DMARC_UNKNOWN,
	DMARC_NONE,
	DMARC_QUARANTINE,
	DMARC_REJECT,
};

/* Zero-initialised: nothing read yet. */
struct authres {
	bool seen;	/* a field with our authserv-id was believed */
	bool forged;	/* one claimed it and was not: other job or version,
			 * bad syntax, no job below such a one */
	enum auth_verdict spf, dkim, dmarc_result;
	enum dmarc_policy dmarc;
	/* private: of which field the result is: 2 with the job, 1 without,
	 * 0: there was none */
	unsigned spf_trust, dkim_trust, dmarc_trust;
};

/* What became of one field. */
enum authres_field {
	AUTHRES_OF_OTHERS,	/* it does not claim to be ours */
	AUTHRES_BELIEVED,
	AUTHRES_FORGED,		/* it claims to be, and is not believed */
};

/* Adds one field, from the top of the mail to its end; value is unfolded
 * (head_value). authserv_id: ours; job: the queue id, NULL if unknown (then a
 * field with a job is not believed). */
enum authres_field authres_add(struct authres *r, const char *value,
			       const char *authserv_id, const char *job);

/* The same, but only a field that has this message's job is believed. */
enum authres_field authres_add_bound(struct authres *r, const char *value,
				     const char *authserv_id, const char *job);

#endif
