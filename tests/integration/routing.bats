#!/usr/bin/env bats
# fallbackmx.json: which mail goes into which Maildir, and whose it is.

load helpers

# Homes of the test users (root only), made anew for every test.
homes() { # USER...
	local u
	rm -rf "$FB_WORLD/home"
	mkdir -m 755 "$FB_WORLD/home"
	for u; do
		mkdir -m 700 "$FB_WORLD/home/$u"
		give "$u" "$FB_WORLD/home/$u"
	done
	H=$FB_WORLD/home
}
more_teardown() { rm -rf "$FB_WORLD/home"; }

@test "mailbox authority: the key's prefix decides, the longest one wins" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "", "maildir": "@/home/rest" },
	    { "prefix": "a/", "maildir": "@/home/a" },
	    { "prefix": "a/b/", "maildir": "@/home/ab" } ] } ] }'
	mail a/1 "$(ses id 1)"
	mail a/b/2 "$(ses id 2)"
	mail a/bc/3 "$(ses id 3)"
	mail ab/4 "$(ses id 4)"
	mail 5 "$(ses id 5)"
	mail A/6 "$(ses id 6)"
	expect 0 fb sync --config "$CONFIG"
	silent
	same "$(in_box a)" "1 3"
	same "$(in_box ab)" "2"
	same "$(in_box rest)" "4 5 6"
	same "$(count "$SRC")" 0
}

# in_box NAME: numbers of the mails in that Maildir of this test's home.
in_box() { in_maildir "$HOME_DIR/$1"; }
in_maildir() {
	local n
	[ -d "$1/new" ] || return 0
	for n in $(seq 12); do
		grep -qrs "ses=$(ses id "$n")\$" "$1/new" && echo "$n"
	done | xargs
}

@test "mailbox authority: unrouted objects are kept and named, 75" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/home/a" } ] } ] }'
	mail a/1 "$(ses id 1)"
	mail b/2 "$(ses id 2)"
	expect 75 fb sync --config "$CONFIG" --json
	counted listed=2 imported=1 unrouted=1 deleted=1
	says "b/2"
	same "$(in_box a)" 1
	[ -f "$SRC/b/2" ]
}

@test "mailbox authority: catch_all takes what has no other home" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0,
	    "catch_all": { "maildir": "@/home/rest" }, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/home/a" } ] } ] }'
	mail a/1 "$(ses id 1)"
	mail b/2 "$(ses id 2)"
	expect 0 fb sync --config "$CONFIG"
	same "$(in_box a)" 1
	same "$(in_box rest)" 2
	same "$(count "$SRC")" 0
}

received='{ "state_dir": "@/var/state", "sources": [
  { "url": "file://@/source/", "settle": 0, "recipients": "received",
    CATCH
    "mailboxes": [
      { "recipient": "alice@example.com", "maildir": "@/home/a" },
      { "recipient": "alice+lists@example.com", "maildir": "@/home/al" },
      { "recipient": "bob@example.com", "maildir": "@/home/b" } ] } ] }'

@test "received authority: SES's for decides, labels too, and a copy for all" {
	configuration "${received/CATCH/\"catch_all\": { \"maildir\": \"@/home/rest\" \},}"
	mail b/1 "$(ses id 1)" alice@example.com
	mail 2 "$(ses id 2)" Alice@EXAMPLE.com
	mail 3 "$(ses id 3)" alice+x@example.com
	mail 4 "$(ses id 4)" alice+lists@example.com
	mail 5 "$(ses id 5)" bob@example.com
	mail 6 "$(ses id 6)" alice@example.org
	mail 7 "$(ses id 7)" xalice@example.com
	expect 0 fb sync --config "$CONFIG" --json
	counted listed=7 imported=7 deleted=7
	same "$(in_box a)" "1 2 3"
	same "$(in_box al)" 4
	same "$(in_box b)" 5
	same "$(in_box rest)" "1 2 3 4 5 6 7"
	same "$(count "$SRC")" 0
	cmp "$HOME_DIR"/b/new/* "$(grep -l "$(ses id 5)" \
	    "$HOME_DIR"/rest/new/*)"
}

@test "received authority without catch_all: delivered, nothing deleted" {
	configuration "${received/CATCH/}"
	mail 1 "$(ses id 1)" alice@example.com
	mail 6 "$(ses id 6)" nobody@example.com
	for round in 1 2; do
		run --separate-stderr fb sync --config "$CONFIG" --json
		counted listed=2 deleted=0
		same "$(in_box a)" 1
		same "$(count "$SRC")" 2
	done
	[ "$status" = 75 ]
	says "$SRC/6: "
}

@test "received authority: a forged for below SES's line is not believed" {
	configuration "${received/CATCH/\"catch_all\": { \"maildir\": \"@/home/rest\" \},}"
	mkdir "$T/sent"
	ses make "$T/sent/1" "$(ses id 1)" bob@example.com
	ses make "$T/sent/x" "$(ses id 2)" alice@example.com
	{ printf 'Received: from h (h [192.0.2.1]) by mx.example.com;\r\n'
	  printf ' Fri, 27 Jan 2023 12:19:20 +0000\r\n'
	  cat "$T/sent/x"; } >"$T/sent/2"
	rm "$T/sent/x"
	offer 1
	offer 2
	expect 0 fb sync --config "$CONFIG"
	same "$(in_box b)" 1
	[ ! -e "$HOME_DIR/a" ]
	same "$(count "$HOME_DIR/rest/new")" 2
}

@test "prefix template: {user} through passwd, {home} from there (F42)" {
	need_root
	started_as root
	homes alice bob dave.o-k_1 locked middle low toor expired
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "{user}/", "maildir": "{home}/Maildir" },
	    { "prefix": "bob/", "maildir": "{AT}/bob/Special" } ] } ] }'
	sed -i "s|{AT}|$H|" "$CONFIG"
	mail alice/1 "$(ses id 1)"
	mail bob/2 "$(ses id 2)"
	mail dave.o-k_1/3 "$(ses id 3)"
	mail locked/12 "$(ses id 12)"
	mail homeless/4 "$(ses id 4)"
	mail toor/5 "$(ses id 5)"
	mail low/6 "$(ses id 6)"
	mail middle/7 "$(ses id 7)"
	mail no-such-user/8 "$(ses id 8)"
	mail Alice/9 "$(ses id 9)"
	mail -alice/10 "$(ses id 10)"
	mail 11 "$(ses id 11)"
	mail expired/0 "$(ses id 20)"
	chown -R toor: "$H/toor"
	expect 75 fb sync --config "$CONFIG" --json
	same "$(in_maildir "$H/alice/Maildir")" 1
	same "$(in_maildir "$H/bob/Special")" 2
	same "$(in_maildir "$H/dave.o-k_1/Maildir")" 3
	[ ! -e "$H/bob/Maildir" ]
	for u in low middle toor expired; do
		same "$(find "$H/$u" -mindepth 1)" ""
	done
	[ ! -e "$H/missing" ]
	for key in homeless/4 toor/5 low/6 middle/7 no-such-user/8 Alice/9 \
	    -alice/10 11 expired/0; do
		[ -f "$SRC/$key" ]
	done
	for said in "$H/missing" toor low middle no-such-user Alice -alice "$SRC/11" \
	    expired; do
		says "$said"
	done
	same "$(number listed "$output")" 13
	# A locked account still has its mail: the lock is for logging in.
	same "$(in_maildir "$H/locked/Maildir")" 12
	same "$(stat -c %U:%G "$H"/alice/Maildir/new/*)" alice:alice
	same "$(stat -c %U:%G "$H"/bob/Special/new/*)" bob:bob
}

@test "recipient template: local part without label, one per domain" {
	need_root
	started_as root
	homes alice bob
	mkdir "$T/rest"
	chown carol: "$T/rest"
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "recipients": "received",
	    "catch_all": { "maildir": "@/rest/Maildir", "owner": "carol" },
	    "mailboxes": [ { "recipient": "{user}@example.com",
	        "maildir": "{home}/Mail/{user}" } ] } ] }'
	mkdir "$H/alice/Mail" "$H/bob/Mail"
	chown -R alice: "$H/alice"
	chown -R bob: "$H/bob"
	mail 1 "$(ses id 1)" alice@example.com
	mail 2 "$(ses id 2)" alice+label@example.com
	mail 3 "$(ses id 3)" bob@example.com
	mail 4 "$(ses id 4)" bob@example.net
	mail 5 "$(ses id 5)" ../alice@example.com
	expect 0 fb sync --config "$CONFIG" --json
	counted listed=5 imported=5 deleted=5
	same "$(in_maildir "$H/alice/Mail/alice")" "1 2"
	same "$(in_maildir "$H/bob/Mail/bob")" 3
	same "$(in_maildir "$T/rest/Maildir")" "1 2 3 4 5"
}

@test "owner of a line: name, numbers, else of the Maildir, else its parent" {
	need_root
	started_as root
	homes alice bob
	mkdir -m 777 "$T/open"
	mkdir -p "$T/numbers" "$T/carols"
	chown 61077:61078 "$T/numbers"
	chown carol:staff2 "$T/carols"
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/open/a", "owner": "alice" },
	    { "prefix": "n/", "maildir": "@/numbers/M", "owner": "61077:61078" },
	    { "prefix": "c/", "maildir": "@/carols/M" } ] } ] }'
	mail a/1 "$(ses id 1)"
	mail n/2 "$(ses id 2)"
	mail c/3 "$(ses id 3)"
	expect 0 fb sync --config "$CONFIG"
	same "$(stat -c %U:%G "$T/open/a" "$T"/open/a/new/*)" \
	    $'alice:alice\nalice:alice'
	same "$(stat -c %u:%g "$T"/numbers/M/new/*)" 61077:61078
	same "$(stat -c %U "$T"/carols/M/new/*)" carol
}

settling() { # SECONDS or nothing
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", '"${1:+\"settle\": $1,}"'
	    "mailboxes": [ { "prefix": "", "maildir": "@/home/Maildir" } ] } ] }'
}

@test "settle: a young file waits, which is no error, and comes later" {
	settling 86400
	mails 2
	expect 0 fb sync --config "$CONFIG" --json
	counted listed=2 waiting=2
	same "$stderr" ""
	[ ! -e "$MD" ]
	settling 1
	sleep 2.1
	expect 0 fb sync --config "$CONFIG" --json
	counted listed=2 imported=2
	delivered
}

@test "settle: a new name or mode of an old file counts as young" {
	settling 86400
	mails 1
	touch -d '2001-01-01' "$SRC"/*
	expect 0 fb sync --config "$CONFIG" --json
	counted listed=1 waiting=1
}

@test "settle: it is not 0 when the configuration says nothing" {
	settling
	mails 1
	expect 0 fb sync --config "$CONFIG" --json
	counted listed=1 waiting=1
	expect 0 fb config show --config "$CONFIG"
	same "$("$FB_PYTHON" -c 'import json, sys
print(json.load(sys.stdin)["sources"][0]["settle"])' <<<"$output")" 60
}

@test "keep and verbatim of a source" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "keep": true,
	    "verbatim": true, "mailboxes": [
	    { "prefix": "", "maildir": "@/home/Maildir" } ] } ] }'
	mails 3
	for round in 1 2; do
		expect 0 fb sync --config "$CONFIG"
		delivered "$MD" "$T/sent" verbatim
		same "$(count "$SRC")" 3
	done
}

@test "two sources: one is missing, the other is served" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/nowhere/", "settle": 0, "mailboxes": [
	    { "prefix": "", "maildir": "@/home/First" } ] },
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "", "maildir": "@/home/Maildir" } ] } ] }'
	mails 2
	run --separate-stderr fb sync --config "$CONFIG"
	[ "$status" != 0 ]
	says "$T/nowhere"
	delivered
}

@test "two prefixes with one Maildir share it" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/home/Maildir" },
	    { "prefix": "b/", "maildir": "@/home/Maildir" } ] } ] }'
	mail a/1 "$(ses id 1)"
	mail b/2 "$(ses id 2)"
	expect 0 fb sync --config "$CONFIG" --json
	counted imported=2 deleted=2
	delivered
}

@test "--dry-run names the Maildir of every object, or that it has none" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/home/a" } ] } ] }'
	mail a/1 "$(ses id 1)"
	mail b/2 "$(ses id 2)"
	before=$(tree "$T")
	run --separate-stderr fb sync --config "$CONFIG" --dry-run
	[[ "$output" == *"a/1 -> $HOME_DIR/a [new]"* ]]
	[[ "$output" == *"b/2"*"unrouted"* ]]
	same "$(tree "$T")" "$before"
}
