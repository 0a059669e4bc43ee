#!/usr/bin/env bats
# fallbackmx.json: what it may say, how mistakes are named, where mail goes.

load helpers

full='{ "state_dir": "@/var/state",
  "engine_user": "fallbackmx",
  "sources": [
    { "url": "file://@/source/", "recipients": "mailbox", "settle": 30,
      "keep": true, "verbatim": true,
      "catch_all": { "maildir": "@/home/rest", "owner": "1234:1235" },
      "mailboxes": [
        { "prefix": "alice/", "maildir": "@/home/a", "owner": "1234:1235" },
        { "prefix": "", "maildir": "@/home/c" },
        { "prefix": "{user}/", "maildir": "{home}/Maildir" } ] },
    { "url": "file://@/other/", "recipients": "received",
      "mailboxes": [
        { "recipient": "alice@example.com", "maildir": "@/home/a" },
        { "recipient": "{user}@example.com",
          "maildir": "{home}/Maildir/{user}" } ] } ] }'

@test "config check: a right file is 0 and silent, as every user" {
	configuration "$full"
	expect 0 fb config check --config "$CONFIG"
	same "$stderr" ""
}

@test "config show: prints what config check takes, and again the same" {
	configuration "$full"
	expect 0 fb config show --config "$CONFIG"
	printf '%s\n' "$output" >"$T/shown"
	chmod 644 "$T/shown"
	"$FB_PYTHON" - "$T/shown" "$CONFIG" <<-'END'
	import json, sys
	shown, written = (json.load(open(p)) for p in sys.argv[1:])
	def inside(part, whole, path):
	    if isinstance(part, dict):
	        for k in part:
	            inside(part[k], whole[k], path + '.' + k)
	    elif isinstance(part, list):
	        assert len(part) == len(whole), path
	        for n, (a, b) in enumerate(zip(part, whole)):
	            inside(a, b, '%s[%d]' % (path, n))
	    else:
	        assert part == whole, (path, part, whole)
	inside(written, shown, '')
	# what was left out is shown as it will be taken
	assert shown['sources'][1]['settle'] == 60
	assert shown['sources'][1]['keep'] is False
	assert shown['sources'][1]['verbatim'] is False
	END
	expect 0 fb config check --config "$T/shown"
	expect 0 fb config show --config "$T/shown"
	same "$output" "$(cat "$T/shown")"
}

@test "a file of the milter alone: sync and check say what is missing" {
	for text in '{}' '{ "milter": {} }'; do
		configuration "$text"
		expect 0 fb config check --config "$CONFIG"
		expect 0 fb config show --config "$CONFIG"
		printf '%s\n' "$output" >"$T/shown"
		chmod 644 "$T/shown"
		expect 0 fb config check --config "$T/shown"
		expect 78 fb sync --config "$CONFIG"
		says "$CONFIG has no \"sources\""
		same "$output" ""
		[ ! -e "$STATE" ]
		run --separate-stderr fb check --config "$CONFIG"
		[[ "$output" == *"source: there is none"* ]]
	done
}

@test "config check and show: both halves, and each mistake once" {
	configuration "${full%\}}, \"milter\": { \"drain\": 3 } }"
	expect 0 fb config check --config "$CONFIG"
	expect 0 fb config show --config "$CONFIG"
	[[ "$output" == *'"drain": 3'* && "$output" == *'"wait": 60'* ]]
	[[ "$output" == *'"settle": 30'* ]]
	configuration '{ "sources": [ { "url": "x", "catch_all":
	    { "maildir": "/m" } } ], "milter": { "drain": -3 }, "sorces": 1 }'
	for verb in check show; do
		expect 78 fb config $verb --config "$CONFIG"
		says 'sources[0].url: found "x"'
		says 'milter.drain: found -3'
		says 'sorces: found an unknown key'
		says '3 mistakes'
		[ "${#stderr_lines[@]}" = 4 ]
	done
}

# mistake JSON TEXT...: check, show and sync refuse the file with 78, name it,
# and stderr holds every TEXT.
mistake() {
	local text verb
	configuration "$1"
	shift
	for verb in 'config check' 'config show' sync; do
		expect 78 fb $verb --config "$CONFIG"
		says "$CONFIG"
		same "$output" ""
		for text; do
			says "$text" || {
				cat "$CONFIG"
				return 1
			}
		done
	done
	[ ! -e "$STATE" ]
}

# one KEY JSON TEXT...: as mistake, for one setting of a source.
box='"mailboxes": [ { "prefix": "", "maildir": "/m" } ]'
source_with() {
	mistake "{ \"sources\": [ { \"url\": \"file:///s/\", $1 } ] }" "${@:2}"
}
box_with() {
	source_with "\"mailboxes\": [ { $1 } ]" "${@:2}"
}

@test "mistakes: unknown words, with path and nearest known word" {
	mistake '{ "state-dir": "/x", "sources": [] }' state-dir state_dir
	mistake '{ "sorces": [] }' sorces sources
	source_with "\"setle\": 1, $box" 'sources[0]' setle settle
	source_with "\"verbatin\": true, $box" 'sources[0]' verbatin verbatim
	source_with "\"recipients\": \"mailbocks\", $box" \
	    'sources[0].recipients' mailbocks mailbox
	source_with "\"recipients\": \"recieved\", $box" \
	    'sources[0].recipients' received
	box_with '"prefx": "a/", "maildir": "/m"' \
	    'sources[0].mailboxes[0]' prefx prefix
	box_with '"prefix": "", "mail_dir": "/m"' mail_dir maildir
	source_with "\"catch_all\": { \"maildr\": \"/m\" }, $box" \
	    'sources[0].catch_all' maildr maildir
}

@test "mistakes: wrong types, found and expected are named" {
	mistake '[]' 'object'
	mistake '{ "sources": {} }' sources list
	mistake '{ "sources": [ 1 ] }' 'sources[0]' object
	mistake '{ "state_dir": 7, "sources": [] }' state_dir string
	source_with "\"settle\": \"60\", $box" 'sources[0].settle' 60
	source_with "\"settle\": 1.5, $box" 'sources[0].settle'
	source_with "\"keep\": \"yes\", $box" 'sources[0].keep'
	source_with "\"keep\": 1, $box" 'sources[0].keep'
	source_with '"mailboxes": "all"' 'sources[0].mailboxes' list
	box_with '"prefix": null, "maildir": "/m"' 'mailboxes[0].prefix'
	box_with '"prefix": "", "maildir": 3' 'mailboxes[0].maildir'
	box_with '"prefix": "", "maildir": "/m", "owner": 3' 'mailboxes[0].owner'
}

@test "mistakes: values out of range" {
	source_with "\"settle\": -1, $box" 'sources[0].settle' -1
	source_with "\"settle\": 86401, $box" 'sources[0].settle' 86401
	source_with "\"settle\": 99999999999999999999, $box" ''
	mistake '{ "state_dir": "relative", "sources": [] }' state_dir
	box_with '"prefix": "", "maildir": "relative/Maildir"' \
	    'mailboxes[0].maildir'
	box_with '"prefix": "", "maildir": ""' 'mailboxes[0].maildir'
	box_with '"prefix": "alice", "maildir": "/m"' 'mailboxes[0].prefix'
	box_with '"prefix": "/alice/", "maildir": "/m"' 'mailboxes[0].prefix'
	box_with '"prefix": "", "maildir": "/m", "owner": ""' 'mailboxes[0].owner'
	box_with '"prefix": "", "maildir": "/m", "owner": "0:0"' \
	    'mailboxes[0].owner'
	box_with '"prefix": "", "maildir": "/m", "owner": "12:x"' \
	    'mailboxes[0].owner'
	source_with '"mailboxes": []' 'sources[0]'
	mistake '{ "sources": [] }' sources
}

@test "mistakes: urls" {
	mistake "{ \"sources\": [ { $box } ] }" 'sources[0]' url
	mistake "{ \"sources\": [ { \"url\": \"s3://b/\", $box } ] }" \
	    'sources[0].url' 's3://BUCKET/PREFIX/'
	mistake "{ \"sources\": [ { \"url\": \"/srv/mail\", $box } ] }" \
	    'sources[0].url' file://
	mistake "{ \"sources\": [ { \"url\": \"file://srv/\", $box } ] }" \
	    'sources[0].url'
	mistake "{ \"sources\": [ { \"url\": \"file:///s/\", $box },
	    { \"url\": \"file:///s/\", $box } ] }" 'sources[1]'
}

@test "mistakes: lines that contradict each other or the authority" {
	source_with "\"recipients\": \"notification\", $box" \
	    'sources[0].recipients' SQS
	box_with '"prefix": "", "recipient": "a@b.c", "maildir": "/m"' \
	    'mailboxes[0]'
	box_with '"maildir": "/m"' 'mailboxes[0]' prefix
	box_with '"prefix": ""' 'mailboxes[0]' maildir
	box_with '"recipient": "a@example.com", "maildir": "/m"' \
	    'mailboxes[0]' received
	source_with "\"recipients\": \"received\", $box" 'mailboxes[0]' recipient
	source_with '"mailboxes": [ { "prefix": "a/", "maildir": "/m" },
	    { "prefix": "a/", "maildir": "/n" } ]' 'mailboxes[1]'
	source_with '"recipients": "received", "mailboxes": [
	    { "recipient": "a@example.com", "maildir": "/m" },
	    { "recipient": "A@Example.com", "maildir": "/n" } ]' 'mailboxes[1]'
	source_with '"recipients": "received", "mailboxes": [
	    { "recipient": "nobody", "maildir": "/m" } ]' \
	    'mailboxes[0].recipient'
}

@test "mistakes: templates" {
	box_with '"prefix": "x{user}/", "maildir": "{home}/Maildir"' \
	    'mailboxes[0].prefix' '{user}'
	box_with '"prefix": "a/", "maildir": "{home}/Maildir"' \
	    'mailboxes[0].maildir' '{home}'
	box_with '"prefix": "{usr}/", "maildir": "{home}/Maildir"' \
	    'mailboxes[0].prefix' '{usr}' '{user}'
	box_with '"prefix": "{user}/", "maildir": "{hme}/Maildir"' \
	    'mailboxes[0].maildir' '{hme}' '{home}'
	source_with '"recipients": "received", "mailboxes": [
	    { "recipient": "x{user}@example.com", "maildir": "{home}/M" } ]' \
	    'mailboxes[0].recipient'
}

@test "mistakes: all of a file are named, not only the first" {
	mistake '{ "sources": [
	    { "url": "file:///s/", "setle": 1, "keep": 3,
	      "mailboxes": [ { "prefix": "a", "maildir": "m" } ] } ] }' \
	    setle 'sources[0].keep' 'mailboxes[0].prefix' \
	    'mailboxes[0].maildir'
	[ "${#stderr_lines[@]}" -ge 4 ]
}

@test "mistakes: not JSON, with line and column" {
	mistake $'{ "sources": [\n  { "url": }\n] }' "$T/fallbackmx.json:2:"
	mistake '' "$T/fallbackmx.json:"
	mistake '{ "sources": [ ' "$T/fallbackmx.json:2:"
	mistake $'{ "keep": 1,\n "keep": 2 }' keep
	mistake '{ "state_dir": "/a\u0000b", "sources": [] }' ''
	mistake $'{ "state_dir": "/a\xff", "sources": [] }' "$T/fallbackmx.json"
}

@test "mistakes: a huge or deep file is refused at once" {
	configuration ''
	head -c 2000000 /dev/zero | tr '\0' ' ' >"$CONFIG"
	expect 78 fb config check --config "$CONFIG"
	says "$CONFIG"
	"$FB_PYTHON" -c 'print("[" * 200000 + "]" * 200000)' >"$CONFIG"
	expect 78 fb config check --config "$CONFIG"
	says "$CONFIG"
}

@test "a configuration that is not there is named" {
	for verb in 'config check' 'config show' sync; do
		run --separate-stderr fb $verb --config "$T/none.json"
		[ "$status" = 78 ] || [ "$status" = 66 ]
		says "$T/none.json"
		says "No such file"
	done
	mkdir "$T/dir.json"
	run --separate-stderr fb config check --config "$T/dir.json"
	[ "$status" != 0 ]
	says "$T/dir.json"
}

@test "root refuses a configuration that others may write" {
	need_root
	started_as root
	configuration "$full"
	chmod 666 "$CONFIG"
	expect 78 fb config check --config "$CONFIG"
	says "$CONFIG"
	expect 78 fb sync --config "$CONFIG"
	chmod 644 "$CONFIG"
	chown alice "$CONFIG"
	expect 78 fb sync --config "$CONFIG"
	says "$CONFIG"
}
