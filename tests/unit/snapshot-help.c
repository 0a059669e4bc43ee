#include <config.h>

#include "lib/base/buf.h"
#include "snapshot-help.h"

#define TEXT_MAX ((size_t)65536)

#define HEADER "{\"AddHeader\":{\"HeaderName\":\"X-A\",\"HeaderValue\":\"b\"}}"
#define ROLE "\"RoleArn\":\"arn:aws:iam::111122223333:role/r\""
#define COND(x) "{\"Conditions\":[" x "],\"Actions\":[" HEADER "]}"

struct document {
	const char *name, *text;
};

/* What configurations name; the directory stands for @. */
static const struct document documents[] = {
	{ "traffic", "{\"TrafficPolicyName\":\"front\",\"DefaultAction\":"
	  "\"ALLOW\",\"MaxMessageSizeBytes\":1000,\"PolicyStatements\":[{"
	  "\"Action\":\"DENY\",\"Conditions\":[{\"StringExpression\":{"
	  "\"Evaluate\":{\"Attribute\":\"RECIPIENT\"},\"Operator\":\"EQUALS\","
	  "\"Values\":[\"no@b.example\"]}}]}]}" },
	{ "plain", "{\"RuleSetName\":\"plain\",\"Rules\":[{\"Name\":\"one\","
	  "\"Actions\":[" HEADER "]},{\"Conditions\":[{\"StringExpression\":{"
	  "\"Evaluate\":{\"Attribute\":\"RECIPIENT\"},\"Operator\":\"EQUALS\","
	  "\"Values\":[\"a@b.example\"]}}],\"Actions\":[{\"Drop\":{}}," HEADER
	  "]}]}" },
	{ "outside", "{\"Rules\":[{\"Name\":\"offers\",\"Actions\":["
	  HEADER ",{\"Relay\":{\"Relay\":\"r-1\"}}]},{\"Actions\":["
	  "{\"Archive\":{\"TargetArchive\":\"arn:aws:ses:x:1:archive/a-1\"}},"
	  "{\"Send\":{" ROLE "}}]}]}" },
	{ "asks", "{\"Rules\":["
	  COND("{\"BooleanExpression\":{\"Evaluate\":{\"IsInAddressList\":{"
	       "\"Attribute\":\"RECIPIENT\",\"AddressLists\":[\"vip\"]}},"
	       "\"Operator\":\"IS_TRUE\"}}") ","
	  COND("{\"StringExpression\":{\"Evaluate\":{\"Analysis\":{"
	       "\"Analyzer\":\"arn:spam\",\"ResultField\":\"f\"}},\"Operator\":"
	       "\"EQUALS\",\"Values\":[\"x\"]}}") ","
	  COND("{\"StringExpression\":{\"Evaluate\":{"
	       "\"ClientCertificateAttribute\":\"SERIAL_NUMBER\"},"
	       "\"Operator\":\"EQUALS\",\"Values\":[\"x\"]}}") "]}" },
	{ "vip.csv", "address\nvip@b.example\n" },
	{ "bad.csv", "address\nno address\n" },
	{ "relay", "{\"RelayName\":\"r\",\"ServerName\":\"h.example\","
	  "\"ServerPort\":25,\"Authentication\":{\"NoAuthentication\":{}}}" },
	{ "broken", "{\"Rules\":[{\"Acts\":[]}]}" },
	{ "tag", "{\"Rules\":[{\"Name\":\"marks\",\"Actions\":["
	  HEADER ",{\"AddHeader\":{\"HeaderName\":\"x-FALLBACKmx\","
	  "\"HeaderValue\":\"b\"}}]},{\"Actions\":[{\"RemoveHeader\":{"
	  "\"HeaderName\":\"X-FallbackMX\"}},{\"RemoveHeader\":{"
	  "\"HeaderName\":\"X-FallbackMX-2\"}}]}]}" },
};

void
document_expand(struct buf *out, const char *text, const char *dir)
{
	for (; *text != '\0'; text++)
		if (*text == '@' && text[1] == '/')
			buf_printf(out, "%s", dir);
		else
			buf_add(out, text, 1);
}

const char *
document_put(const char *dir, const char *name, const char *from)
{
	const char *path = scratch_path("%s/%s", dir, name);
	struct buf b;

	buf_init(&b, TEXT_MAX);
	document_expand(&b, from, dir);
	scratch_text(path, b.data);
	buf_free(&b);
	return path;
}

void
documents_put(const char *dir)
{
	for (size_t i = 0; i < COUNT(documents); i++)
		scratch_text(scratch_path("%s/%s", dir, documents[i].name),
			     documents[i].text);
}
