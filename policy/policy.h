/*
 * policy - the documents of SES Mail Manager in memory: a traffic policy, a
 * rule set, relays, archives and address lists (AWS SES Mail Manager API
 * Reference; limits as its pages and "Service quotas" of the SES Developer
 * Guide give them).
 *
 * Documents are read once, checked whole, and never change afterwards: one
 * policy may serve many threads. All mistakes of a document are told, each
 * with its path, what was found and what is allowed (lib/base/config.h).
 * Pure: no disk, no clock, no log. Files are read by the caller.
 */
#ifndef FALLBACKMX_POLICY_H
#define FALLBACKMX_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/config.h"

#define POLICY_MAX ((size_t)33554432)	/* bytes of one document */
#define POLICY_DEPTH_MAX 64		/* of its JSON */

enum policy_kind {
	POLICY_UNKNOWN,		/* find out by its members */
	POLICY_TRAFFIC,
	POLICY_RULE_SET,
	POLICY_RELAY,
	POLICY_ARCHIVE,
	POLICY_ADDRESS_LIST,	/* JSON or CSV with the header "address" */
};

struct policy;

struct policy *policy_new(void);
void policy_free(struct policy *p);	/* NULL is allowed */

/*
 * Reads one document (n bytes) under the name that m->file gives. kind: what
 * is expected, or POLICY_UNKNOWN. name: for address lists, the ARN, id or name
 * that conditions call it by (NULL: what the document says). aws: refuse
 * extensions. Mistakes go to m, and then nothing of the document stays in p.
 * Returns what it is; POLICY_UNKNOWN: it could not even be told. One traffic
 * policy and one rule set at most, of the others as many as there are.
 */
enum policy_kind policy_add(struct policy *p, enum policy_kind kind,
			    const char *name, const char *text, size_t n,
			    bool aws, struct config_mistakes *m);

/* What conditions ask for in vain: address lists that are not loaded,
 * client-certificate attributes that Postfix does not tell. One line each,
 * none twice; they are warnings of `policy check` and `policy test`, errors of
 * the milter. */
void policy_missing_facts(const struct policy *p, struct buf *lines);

/* Relays and archives that actions name and that are not loaded; the same. */
void policy_missing_targets(const struct policy *p, struct buf *lines);

/* The traffic policy needs what an analyzer found: it can be asked only when
 * the header is there. */
bool policy_asks_analysis(const struct policy *p);

/* MaxMessageSizeBytes of the traffic policy; 0: none. */
int64_t policy_size_max(const struct policy *p);

/* Whether a rule may remove the header of that name (RemoveHeader). */
bool policy_removes(const struct policy *p, const char *name);

/* What the document of that kind calls itself; NULL: nothing, or there is
 * none. Traffic policies and rule sets only. */
const char *policy_name(const struct policy *p, enum policy_kind kind);

/* The documents of that kind as AWS's API takes them: canonical (members in the
 * order of the API Reference, two blanks), without what only answers carry; an
 * address list as AWS's import takes it, with its name. Reading one gives the
 * same policy. False: there is none. */
bool policy_print(const struct policy *p, enum policy_kind kind,
		  struct buf *out);

/* How long the archive of that name keeps mail (NULL: the first one there is):
 * AWS's word, "DEFAULT" for 180 days if it does not say; NULL: there is no such
 * document. */
const char *policy_archive_retention(const struct policy *p,
				     const char *called);

/* In words, what it understood: a line for each statement and rule. */
void policy_explain(const struct policy *p, struct buf *out);

#endif
