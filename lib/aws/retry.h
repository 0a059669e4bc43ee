/*
 * retry - which failures are worth another attempt, and when. AWS's "standard"
 * retries (AWS SDKs and Tools Reference Guide, "Retry behavior"; numbers as in
 * botocore): full jitter, and a quota that stops retries when most fail.
 * Pure: time passes elsewhere, chance comes in.
 */
#ifndef FALLBACKMX_RETRY_H
#define FALLBACKMX_RETRY_H

#include <stdbool.h>

#define RETRY_ATTEMPTS 5	/* of a call, the first one included */
#define RETRY_DELAY_MAX 20.0	/* seconds */

enum retry_cause {
	RETRY_NEVER,		/* the answer is what it is */
	RETRY_TIMEOUT,		/* nobody answered in time */
	RETRY_TROUBLE,		/* connection, server, a body cut off */
	RETRY_THROTTLED,	/* slower, please */
};

/* Of an answer that is no success; code: of its <Error>, "" if none. */
enum retry_cause retry_cause(int status, const char *code);

/* All calls to one endpoint share it. Zero-initialised is not ready. */
struct retry {
	int attempts;		/* at most, of one call */
	int quota;		/* tokens left */
};

/* attempts 0: RETRY_ATTEMPTS. */
void retry_init(struct retry *r, int attempts);

/*
 * Seconds to wait before the next attempt, or a negative number if there is
 * none. made: attempts so far. after: seconds that the server asks for, < 0
 * if it does not. chance: 0 up to 1. paid_r: what it took from the quota, to
 * be given to retry_succeeded().
 */
double retry_delay(struct retry *r, enum retry_cause cause, int made,
		   double after, double chance, int *paid_r);

/* paid: for the last retry of the call; 0 if there was none. */
void retry_succeeded(struct retry *r, int paid);

/* How many calls at a time: halved when throttled, slowly back to the most. */
struct pace {
	int most, now;
	int successes;		/* since now grew */
	unsigned halvings;
};

void pace_init(struct pace *p, int most);

/* seen: halvings when the attempt began; many that were under way when the
 * server had enough are one complaint. */
void pace_throttled(struct pace *p, unsigned seen);
void pace_succeeded(struct pace *p);

#endif
