#include <config.h>

#include <stddef.h>
#include <string.h>

#include "retry.h"

#define QUOTA 500
#define COST 5
#define COST_TIMEOUT 10
#define SUCCESSES 100	/* for one more call at a time */

/* The lists of AWS's SDKs (botocore's retries/standard.py). */
static const struct {
	const char *code;
	enum retry_cause cause;
} codes[] = {
	{ "BandwidthLimitExceeded", RETRY_THROTTLED },
	{ "EC2ThrottledException", RETRY_THROTTLED },
	{ "LimitExceededException", RETRY_THROTTLED },
	{ "PriorRequestNotComplete", RETRY_THROTTLED },
	{ "ProvisionedThroughputExceededException", RETRY_THROTTLED },
	{ "RequestLimitExceeded", RETRY_THROTTLED },
	{ "RequestThrottled", RETRY_THROTTLED },
	{ "RequestThrottledException", RETRY_THROTTLED },
	{ "SlowDown", RETRY_THROTTLED },
	{ "ThrottledException", RETRY_THROTTLED },
	{ "Throttling", RETRY_THROTTLED },
	{ "ThrottlingException", RETRY_THROTTLED },
	{ "TooManyRequestsException", RETRY_THROTTLED },
	{ "TransactionInProgressException", RETRY_THROTTLED },
	{ "BadDigest", RETRY_TROUBLE },
	{ "IDPCommunicationError", RETRY_TROUBLE },
	{ "InternalError", RETRY_TROUBLE },
	{ "RequestTimeout", RETRY_TROUBLE },
	{ "RequestTimeoutException", RETRY_TROUBLE },
	{ "ServiceUnavailable", RETRY_THROTTLED },
};

enum retry_cause
retry_cause(int status, const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i].code) == 0)
			return codes[i].cause;
	switch (status) {
	case 429:
	case 503:
		return RETRY_THROTTLED;
	case 500:
	case 502:
	case 504:
		return RETRY_TROUBLE;
	}
	return RETRY_NEVER;
}

void
retry_init(struct retry *r, int attempts)
{
	r->attempts = attempts > 0 ? attempts : RETRY_ATTEMPTS;
	r->quota = QUOTA;
}

double
retry_delay(struct retry *r, enum retry_cause cause, int made, double after,
	    double chance, int *paid_r)
{
	const int cost = cause == RETRY_TIMEOUT ? COST_TIMEOUT : COST;
	double most = 1;

	if (cause == RETRY_NEVER || made >= r->attempts || r->quota < cost)
		return -1;
	r->quota -= cost;
	*paid_r = cost;
	for (int i = 1; i < made && most < RETRY_DELAY_MAX; i++)
		most *= 2;
	if (most > RETRY_DELAY_MAX)
		most = RETRY_DELAY_MAX;
	if (after > RETRY_DELAY_MAX)
		after = RETRY_DELAY_MAX;
	return after > chance * most ? after : chance * most;
}

void
retry_succeeded(struct retry *r, int paid)
{
	r->quota += paid > 0 ? paid : 1;
	if (r->quota > QUOTA)
		r->quota = QUOTA;
}

void
pace_init(struct pace *p, int most)
{
	*p = (struct pace){ .most = most, .now = most };
}

void
pace_throttled(struct pace *p, unsigned seen)
{
	if (seen != p->halvings)
		return;
	p->halvings++;
	p->successes = 0;
	if (p->now > 1)
		p->now /= 2;
}

void
pace_succeeded(struct pace *p)
{
	if (p->now == p->most || ++p->successes < SUCCESSES)
		return;
	p->now++;
	p->successes = 0;
}
