#!/usr/bin/env bats
# fallbackmx check against a scripted S3 server: what no real one here does.
# Run once started as root, once as a plain user (see run.sh).

load helpers
load check

WAY="ok:source ok:settings ok:credentials ok:server"
GOOD="ok:list ok:read ok:delete ok:conditional_delete ok:versioning"

more_setup() {
	background "$FB_PYTHON" "$FB_TOP/tests/faults/scripted.py" "$T/server"
	wait_for [ -e "$T/server/env" ]
	set -a
	. "$T/server/env"
	AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY
	AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
	AWS_EC2_METADATA_DISABLED=true
	AWS_MAX_ATTEMPTS=2
	set +a
	unset AWS_REGION AWS_CA_BUNDLE
	printf 'Subject: x\r\n\r\nx\r\n' >"$T/mail"
	s3 put mail in/x "$T/mail"
}

s3() {
	"$FB_PYTHON" "$FB_TOP/tests/s3/s3.py" "$@"
}

# server PATH JSON: "script" or "settings"; server log, server trap.
server() {
	"$FB_PYTHON" - "$S3_CONTROL/$1" "${2-}" <<-'END'
	import sys, urllib.request
	data = sys.argv[2].encode() or None
	print(urllib.request.urlopen(sys.argv[1], data, 60).read().decode(),
	      end="")
	END
}

check() { # CODE [OPTION...]
	local code=$1
	shift
	expect "$code" fb check --endpoint-url "$S3_ENDPOINT" "$@" \
	    s3://mail/in/
	[ -z "$stderr" ]
	server settings '{"skew": 0}'	# s3.py does not mend it
	same "$(s3 versions mail)" "${CONTENT-"'in/x' live"}"
}

@test "check: a server that honours conditional deletes" {
	check 0
	lines_are $WAY ok:clock $GOOD ok:object_lock
	told "honours it"
	told "region us-east-1 (default)"
}

@test "check: what is asked: nothing that could change anything" {
	check 0
	server log >"$T/log"
	"$FB_PYTHON" - "$T/log" <<-'END'
	import json, sys
	asked = [json.loads(line) for line in open(sys.argv[1])]
	asked = [r for r in asked[1:-1]]        # s3.py put, s3.py versions
	assert [r["op"] for r in asked] == [
	    "list", "get", "versioning", "delete", "object-lock"], asked
	headers = [{n.lower(): v for n, v in r["headers"]} for r in asked]
	assert "max-keys=1&" in asked[0]["target"]
	assert "prefix=in%2F" in asked[0]["target"]
	assert headers[1]["range"] == "bytes=0-0"
	assert asked[3]["key"].startswith("in/.fallbackmx-probe-")
	assert headers[3]["if-match"]
	END
}

@test "check: conditional deletes ignored, refused, denied" {
	server settings '{"delete_if_match": "ignored"}'
	check 0
	lines_are $WAY ok:clock ok:list ok:read ok:delete \
	    warning:conditional_delete ok:versioning ok:object_lock
	server settings '{"delete_if_match": "refused"}'
	check 75
	told "FAILED: delete"
	told NotImplemented
	# Denied with the condition, allowed without.
	server settings '{"delete_if_match": "honoured"}'
	server script '[{"op": "delete", "nth": 1, "status": 403,
	    "code": "AccessDenied"}]'
	check 0
	lines_are $WAY ok:clock ok:list ok:read ok:delete \
	    warning:conditional_delete ok:versioning ok:object_lock
	server script '[{"op": "delete", "status": 403,
	    "code": "AccessDenied"}]'
	check 77
	told "allow s3:DeleteObject,"
}

@test "check: the clock, 10 and 60 minutes off" {
	server settings '{"skew": 600}'
	check 0
	lines_are $WAY warning:clock $GOOD ok:object_lock
	told "10 minutes behind"
	server settings '{"skew": -3600}'
	check 0
	lines_are $WAY warning:clock $GOOD ok:object_lock
	told "minutes ahead of"
}

@test "check: another region: found out, and said; no redirection followed" {
	server settings '{"region": "eu-west-3"}'
	S3_REGION=eu-west-3
	check 0
	lines_are $WAY ok:clock warning:settings $GOOD ok:object_lock
	told "the region eu-west-3, not us-east-1"
	check 0 --region eu-west-3
	lines_are $WAY ok:clock $GOOD ok:object_lock
	told "region eu-west-3 (--region)"
	server script '[{"op": "list", "redirect": "trap", "status": 307}]'
	check 78 --region eu-west-3
	told "FAILED: list"
	same "$(server trap)" 0
}

@test "check: what is new is locked; deleting a version takes MFA" {
	server settings '{"object_lock": true}'
	check 78
	lines_are $WAY ok:clock $GOOD FAILED:object_lock
	told "COMPLIANCE, 30 days"
	server settings '{"object_lock": false}'
	server script '[{"op": "versioning", "body":
	    "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"}]'
	check 78
	told "FAILED: versioning"
}

@test "check: answers that are none: trouble that may pass" {
	for rule in '"status": 503, "code": "SlowDown"' '"body": "html"' \
	    '"cut": 40' '"body": "doctype"' '"status": 502, "body": "html"'; do
		server script "[{\"op\": \"list\", $rule}]"
		check 75
		told "FAILED: list"
	done
	server script '[{"op": "list", "cut": -1}]'
	check 75
	told "FAILED: server"
	# A server that knows neither of these questions has neither thing.
	server script '[{"op": "versioning", "status": 501,
	    "code": "NotImplemented"}, {"op": "object-lock", "status": 501,
	    "code": "NotImplemented"}]'
	check 0
	lines_are $WAY ok:clock $GOOD ok:object_lock
}

@test "check: versions by the scripted server too: nothing left behind" {
	s3 versioning mail Enabled
	s3 put mail in/y "$T/mail"
	CONTENT=$(s3 versions mail)
	check 0
	lines_are $WAY ok:clock $GOOD ok:object_lock
	told "not needed"
}

@test "check: keys with odd bytes are shown, not sent to the terminal" {
	s3 delete mail in/x
	s3 put mail "in/$(printf '\033[31m\r\nok: all')" "$T/mail"
	CONTENT=$(s3 versions mail)
	check 0
	[[ "$output" != *$'\033'* ]]
	told '\x1b[31m'
	lines_are $WAY ok:clock $GOOD ok:object_lock
}
