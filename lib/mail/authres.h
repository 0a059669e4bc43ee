/*
 * authres - what our own checkers found: Authentication-Results (RFC 8601).
 *
 * Anybody can write such a field. Believed is only one whose authserv-id is
 * ours (ASCII case ignored) with version 1 or none; where it has the form
 * "id/job" (OpenDKIM's AuthservIDWithJobID) the job must be this message's
 * queue id. Comments nest, values may be quoted strings; a field that breaks
 * the syntax is not believed at all, and counts as seen.
 *
 * Results map to AWS's verdicts (API RuleVerdictExpression) as docs of
 * fallbackmx-policy(5) say: DKIM over several results: PASS if any passes, else
 * FAIL if any fails, else GRAY; temperror and permerror: PROCESSING_FAILED,
 * when nothing else was found; none, neutral, softfail, policy: GRAY; no
 * believed field with that method: PROCESSING_FAILED.
 * The policy that the sender's domain publishes: `policy.dmarc` (OpenDMARC
 * 1.4.2), else p= or policy= of the comment behind dmarc=RESULT.
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
	bool forged;	/* one claimed it and was not: other job, bad syntax */
	enum auth_verdict spf, dkim, dmarc_result;
	enum dmarc_policy dmarc;
	/* private: a method was there */
	bool spf_seen, dkim_seen, dmarc_seen;
};

/* Adds one field; value is unfolded (head_value). authserv_id: ours; job: the
 * queue id, NULL if unknown (then a field with a job is not believed). */
void authres_add(struct authres *r, const char *value, const char *authserv_id,
		 const char *job);

#endif
