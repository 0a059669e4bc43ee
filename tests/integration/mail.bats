#!/usr/bin/env bats
# Any mail: bytes, keys, times, kinds of files, sizes and numbers.

load helpers

@test "every shape: NUL, 8-bit, lone CR and LF, chunk borders, no header (F52)" {
	mkdir "$T/sent"
	ses shapes "$T/sent"
	cp -a "$T/sent/." "$SRC"
	give "$ENGINE" "$SRC"
	n=$(count "$SRC")
	expect 0 fb_sync --json
	counted listed="$n" imported="$n" deleted="$n"
	delivered
	expect 0 fb_sync --audit
}

@test "verbatim: every shape byte for byte, nothing added" {
	mkdir "$T/sent"
	ses shapes "$T/sent"
	cp -a "$T/sent/." "$SRC"
	give "$ENGINE" "$SRC"
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "verbatim": true,
	    "mailboxes": [ { "prefix": "", "maildir": "@/home/Maildir" } ] } ] }'
	expect 0 fb sync --config "$CONFIG"
	delivered "$MD" "$T/sent" verbatim
}

@test "CRLF across every border of 64 KiB in mails of many sizes" {
	"$FB_PYTHON" - "$FB_HERE" "$T/sent" <<-'END'
	import os, sys
	sys.path.insert(0, sys.argv[1])
	import ses
	os.mkdir(sys.argv[2])
	for k, n in enumerate((65535, 65536, 65537, 131071, 131072, 131073,
	                       1 << 20, (1 << 20) + 1, (4 << 20) + 1)):
	    for shift in (0, 1):
	        data = bytearray(ses.head(ses.ses_id(2 * k + shift)) + b'\r\n')
	        data += b'b' * (n - len(data))
	        for border in range(65536 - shift, n, 65536):
	            data[border - 1:border + 1] = b'\r\n'
	        data[-1:] = b'\r'
	        assert len(data) == n
	        ses.write(os.path.join(sys.argv[2], '%d.%d' % (n, shift)), data)
	END
	cp -a "$T/sent/." "$SRC"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync
	delivered
}

@test "left alone: empty, folder marker, AMAZON_SES_SETUP_NOTIFICATION (F26)" {
	mails 2
	mkdir -p "$SRC/prefix/sub" "$SRC/alice"
	: >"$SRC/empty"
	: >"$SRC/prefix/empty"
	ses make "$SRC/AMAZON_SES_SETUP_NOTIFICATION"
	ses make "$SRC/alice/AMAZON_SES_SETUP_NOTIFICATION"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --json
	counted listed=6 imported=2 skipped=4 deleted=2
	delivered
	[ -f "$SRC/empty" ]
	[ -f "$SRC/prefix/empty" ]
	[ -f "$SRC/AMAZON_SES_SETUP_NOTIFICATION" ]
	[ -f "$SRC/alice/AMAZON_SES_SETUP_NOTIFICATION" ]
	[ -d "$SRC/prefix/sub" ]
	expect 0 fb_sync
	silent
}

@test "arrival: name and mtime from SES's line, else from the object" {
	mail old "$(ses id 1)" alice@example.com 946684801
	mail past2038 "$(ses id 2)" alice@example.com 2147483648
	mail last "$(ses id 3)" alice@example.com 4102444799
	printf 'Subject: no SES line\r\n\r\nx\r\n' >"$T/sent/plain"
	touch -d '2001-02-03 04:05:06 UTC' "$T/sent/plain"
	offer plain
	expect 0 fb_sync
	delivered
	[ -f "$MD/new/981173106.F"* ]
	[ -f "$MD/new/946684801.F"* ]
}

@test "arrival: zones, names of days, comments as SES may write them" {
	mkdir "$T/sent"
	n=0
	while read -r when; do
		n=$((n + 1))
		ses make "$T/x" "$(ses id $n)" alice@example.com 1 "$n"
		sed "s/Thu, 01 Jan 1970 00:00:01 +0000 (UTC)/$when/" "$T/x" \
		    >"$SRC/$n"
	done <<-END
	Fri, 27 Jan 2023 12:19:20 +0000 (UTC)
	Fri, 27 Jan 2023 04:19:20 -0800 (PST)
	Fri, 27 Jan 2023 17:49:20 +0530
	27 Jan 2023 12:19:20 +0000
	Fri, 27 Jan 2023 12:19:20 GMT
	END
	give "$ENGINE" "$SRC"
	expect 0 fb_sync
	same "$(stat -c %Y "$MD"/new/* | sort -u)" 1674821960
	same "$(count "$MD/new")" 5
}

@test "arrival: a senseless date does not stop the mail" {
	mkdir "$T/sent"
	n=0
	while read -r when; do
		n=$((n + 1))
		ses make "$T/x" "$(ses id $n)" alice@example.com 1 "$n"
		sed "s/Thu, 01 Jan 1970 00:00:01 +0000 (UTC)/$when/" "$T/x" \
		    >"$SRC/$n"
	done <<-END
	Fri, 99 Foo 20233333333333333333333 12:19:20 +0000
	-1 Jan 0000 00:00:00 +9999
	Fri, 27 Jan 1823 12:19:20 +0000
	x
	END
	give "$ENGINE" "$SRC"
	touch -d @1600000000 "$SRC"/*
	expect 0 fb_sync --json
	counted imported=4
	same "$(count "$MD/new")" 4
	same "$(stat -c %Y "$(grep -l "ses=$(ses id 4)" "$MD"/new/*)")" 1600000000
}

@test "keys of all sorts: delivered, never a path, safely written (F25)" {
	mkdir "$T/sent"
	n=$("$FB_PYTHON" "$FB_HERE/keys.py" "$T/sent")
	[ "$n" -ge 35 ]
	cp -a "$T/sent/." "$SRC"
	give "$ENGINE" "$SRC"
	before=$(cd "$T" && ls -A)
	expect 0 fb_sync --dry-run
	# one printable line for each key, whatever it holds
	same "${#lines[@]}" "$n"
	! printf '%s' "$output" | tr -d '\n' | grep -q '[[:cntrl:]]'
	run --separate-stderr fb_sync --json
	[ "$status" = 0 ] || [ "$status" = 75 ]
	! printf '%s' "$stderr" | tr -d '\n' | grep -q '[[:cntrl:]]'
	same "$(cd "$T" && ls -A)" "$before
var" || same "$(cd "$T" && ls -A)" "$before"
	# what was refused is still there and counted; the rest is delivered
	left=$(count "$SRC")
	same "$left" "$(number failed "$output")"
	same "$(number imported "$output")" $((n - left))
	# only control bytes in a name may be a reason to refuse it
	find "$SRC" -type f -print0 | while read -r -d '' key; do
		[[ "$key" == *[[:cntrl:]]* ]] || [[ "$key" == *$'\xff'* ]]
	done
	(cd "$SRC" && find . -type f -print0) |
	    (cd "$T/sent" && xargs -0r rm --)
	delivered
	same "$(find "$MD" -type f ! -path "$MD/new/*" ! -name .mark)" ""
}

@test "symlink, FIFO, socket, device, dot file in the source: left (F26, F40)" {
	mails 2
	mkdir "$T/outside"
	ses make "$T/outside/secret"
	mkfifo "$SRC/fifo"
	ln -s "$T/outside/secret" "$SRC/absolute"
	ln -s ../outside/secret "$SRC/relative"
	ln -s "$T/outside" "$SRC/directory"
	ln -s nowhere "$SRC/dangling"
	ln -s . "$SRC/loop"
	"$FB_PYTHON" -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$SRC/socket"
	[ -z "$FB_ROOT" ] || mknod "$SRC/device" c 1 5
	ses make "$SRC/.dot"
	give "$ENGINE" "$SRC"
	chmod -R a+rwX "$T/outside"
	outside=$(tree "$T/outside")
	others=$(find "$SRC" ! -type f ! -type d | sort)
	expect 0 fb_sync --json
	counted imported=2 deleted=2
	delivered
	same "$(tree "$T/outside")" "$outside"
	same "$(find "$SRC" ! -type f ! -type d | sort)" "$others"
	[ -f "$SRC/.dot" ]
}

@test "the source itself may not be a way out: unreadable parts are named" {
	mail ok/1 "$(ses id 1)"
	mail closed/2 "$(ses id 2)"
	mail 3 "$(ses id 3)"
	chmod 000 "$SRC/closed" "$SRC/3"
	run --separate-stderr fb_sync
	[ "$status" = 75 ] || [ "$status" = 74 ]
	says closed
	says 3
	same "$(count "$MD/new")" 1
	chmod 700 "$SRC/closed"
	chmod 600 "$SRC/3"
	same "$(count "$SRC")" 2
	expect 0 fb_sync
	delivered
}

@test "a file with a writer waits; when it is closed it comes" {
	mails 1
	mail writing "$(ses id 9)"
	background as "$ENGINE" sh -c 'exec 9>>"$1"; echo open; exec sleep 600' \
	    sh "$SRC/writing"
	wait_for grep -q open "$T/bg.out"
	expect 0 fb_sync --json
	counted listed=2 imported=1 waiting=1
	[ -f "$SRC/writing" ]
	stop
	expect 0 fb_sync --json
	counted listed=1 imported=1
	delivered
}

@test "a file that changes while it is read is never delivered torn" {
	"$FB_PYTHON" -c 'import sys
open(sys.argv[1], "wb").write((b"%015d\n" % 0) * 131072)' "$SRC/moving"
	give "$ENGINE" "$SRC"
	background as "$ENGINE" "$FB_PYTHON" "$FB_HERE/change.py" "$SRC/moving" 2
	while kill -0 "$BG" 2>/dev/null; do
		run fb_sync
		[ "$status" = 0 ] || [ "$status" = 75 ]
	done
	expect 0 fb_sync
	[ "$(count "$MD/new")" -ge 1 ]
	for f in "$MD"/new/*; do
		same "$(sed 1d "$f" | sort -u | wc -l)" 1
	done
	same "$(count "$SRC")" 0
}

# Whatever is gone from the disk must be in the Maildir.
@test "files replaced while they are read and removed: none is lost" {
	mkdir "$T/pool" "$T/sent"
	for n in $(seq 60); do
		ses make "$T/sent/$n" "$(ses id "$n")"
	done
	cp -a "$T/sent/." "$T/pool"
	give "$ENGINE" "$T/pool"
	background as "$ENGINE" "$FB_PYTHON" "$FB_HERE/race.py" \
	    pool 2 "$T/pool" "$SRC/key"
	while kill -0 "$BG" 2>/dev/null; do
		run --separate-stderr fb_sync
		[ "$status" = 0 ] || [ "$status" = 75 ]
	done
	grep -q replaced "$T/bg.out"
	cp -a "$T/pool/." "$SRC"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync
	delivered
}

@test "vanished between listing and reading: gone, not an error in the sum" {
	mails 400
	background bash -c 'for f in "$1"/*; do rm -f "$f"; done' sh "$SRC"
	run --separate-stderr fb_sync --json
	[ "$status" = 0 ] || [ "$status" = 75 ]
	same "$(count "$MD/new" 2>/dev/null || echo 0)" \
	    "$(number imported "$output")"
	wait "$BG"
	same "$(count "$SRC")" 0
}

@test "duplicate: same SES id and body under another key, other headers" {
	mail one "$(ses id 1)" alice@example.com 1674821960 'same body'
	mkdir "$T/second"
	sed 's/^X-SES-Virus-Verdict: PASS/X-SES-Virus-Verdict: GRAY/' \
	    "$T/sent/one" >"$SRC/two"
	sed 's/^ for alice@example.com/ for alias@example.com/' \
	    "$T/sent/one" >"$SRC/three"
	! cmp -s "$SRC/one" "$SRC/two"
	give "$ENGINE" "$SRC"
	touch -d @1700000000 "$SRC/one"
	touch -d @1700000001 "$SRC/two" "$SRC/three"
	expect 0 fb_sync --json
	counted listed=3 imported=1 duplicate=2 deleted=3
	delivered
	cp "$T/sent/one" "$SRC/later"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --json
	counted listed=1 imported=0 duplicate=1 deleted=1
	delivered
}

@test "no duplicate: same SES id, other body; same body, other id" {
	mail one "$(ses id 1)" alice@example.com 1674821960 'body'
	mail two "$(ses id 1)" alice@example.com 1674821960 'body, longer'
	mail three "$(ses id 3)" alice@example.com 1674821960 'body'
	mail four "$(ses id 1)" alice@example.com 1674821960 'Body'
	expect 0 fb_sync --json
	counted listed=4 imported=4 duplicate=0
	delivered
}

@test "no duplicate: equal mails without an SES id are each delivered" {
	mkdir "$T/sent"
	printf 'Subject: x\r\n\r\nsame\r\n' >"$T/sent/one"
	cp "$T/sent/one" "$T/sent/two"
	touch -d @1600000000 "$T/sent/one" "$T/sent/two"
	offer one
	offer two
	expect 0 fb_sync --json
	counted listed=2 imported=2
	delivered
}

@test "the same mail for two mailboxes is delivered to both" {
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/home/a" },
	    { "prefix": "b/", "maildir": "@/home/b" } ] } ] }'
	mail a/1 "$(ses id 1)" alice@example.com 1674821960 body
	mkdir "$T/sent/b" "$SRC/b"
	cp -a "$T/sent/a/1" "$T/sent/b/1"
	offer b/1
	expect 0 fb sync --config "$CONFIG" --json
	counted imported=2 duplicate=0
	delivered "$HOME_DIR/a" "$T/sent/a"
	delivered "$HOME_DIR/b" "$T/sent/b"
}

@test "hard links in the source are objects of their own" {
	printf 'Subject: x\r\n\r\nlinked\r\n' >"$SRC/one"
	ln "$SRC/one" "$SRC/two"
	ln "$SRC/one" "$T/kept"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --json
	counted listed=2 imported=2
	# the removal of one changes the other's ctime: next time, then
	expect 0 fb_sync
	same "$(count "$SRC")" 0
	same "$(count "$MD/new")" 2
	[ "$(cat "$T/kept")" = $'Subject: x\r\n\r\nlinked\r' ]
}

@test "objects of another user: no lease tells of a writer, so they rest first" {
	need_root
	started_as root
	mails 3
	chown root:fallbackmx "$SRC"/*
	chmod 640 "$SRC"/*
	expect 0 fb_sync --json
	counted waiting=3 imported=0 deleted=0
	same "$(count "$SRC")" 3
}

@test "leftovers of a killed removal are put back and imported" {
	mail first "$(ses id 49)"
	mail dir/late "$(ses id 50)"
	mkdir -m 700 "$SRC/.fallbackmx-removing" "$SRC/dir/.fallbackmx-removing"
	give "$ENGINE" "$SRC"
	mv "$SRC/first" "$SRC/.fallbackmx-removing"
	mv "$SRC/dir/late" "$SRC/dir/.fallbackmx-removing"
	expect 0 fb_sync --json
	counted listed=2 imported=2 deleted=2
	delivered
	[ ! -e "$SRC/.fallbackmx-removing" ]
}

@test "the place for removals is a link to elsewhere: nothing happens there" {
	mails 2
	mkdir "$T/outside"
	ses make "$T/outside/theirs"
	give "$ENGINE" "$T/outside"
	ln -s "$T/outside" "$SRC/.fallbackmx-removing"
	before=$(tree "$T/outside")
	run --separate-stderr fb_sync
	[ "$status" != 0 ]
	says .fallbackmx-removing || says "cannot remove"
	same "$(tree "$T/outside")" "$before"
	delivered
	same "$(count "$SRC")" 2
	rm "$SRC/.fallbackmx-removing"
	expect 0 fb_sync
	delivered
	same "$(count "$SRC")" 0
}

@test "oldest first, whatever the keys are" {
	for n in 5 3 9 1 7; do
		mail "k$n" "$(ses id "$n")" alice@example.com $((1674821960 + n))
		touch -d "@$((1674821960 - n))" "$SRC/k$n" "$T/sent/k$n"
	done
	expect 0 fb_sync --dry-run
	same "$(printf '%s\n' "${lines[@]%% *}" | xargs)" "k9 k7 k5 k3 k1"
	: >"${FB_SYSLOG:-$T/none}"
	expect 0 fb_sync
	delivered
	[ -n "$FB_SYSLOG" ] || return 0
	wait_for lines_of_syslog 5
	same "$(grep -o 'key="\?k[0-9]' "$FB_SYSLOG" | grep -o '[0-9]$' | xargs)" \
	    "9 7 5 3 1"
}
lines_of_syslog() { [ "$(wc -l <"$FB_SYSLOG")" -ge "$1" ]; }

more_teardown() {
	! mountpoint -q "$T/fast" || umount "$T/fast"
}

peak() { # of the last run under memory.py, KiB; says it
	local kib=${stderr##*peak_kib=}
	echo "# $1: ${stderr_lines[-1]}" >&3
	kib=${kib%% *}
	[ "$kib" -gt 0 ]
	[ "$kib" -lt 93750 ]	# 96 MB
}

fb_sync_measured() {
	as "$CALLER" timeout -k 5 900 "$FB_PYTHON" "$FB_HERE/memory.py" \
	    "$FB_BIN/fallbackmx" sync --state-dir "$STATE" "$@" \
	    "file://$SRC/" "$MD"
}

@test "40 MB mails: bytes right, all processes together below 96 MB (F27)" {
	mails 4 0 40000000
	expect 0 fb_sync_measured --json
	same "$(number imported "$output")" 4
	peak "4 objects of 40 MB"
	delivered
}

@test "100,000 mails: SIGTERM, --max-time, then all; below 96 MB" {
	mkdir "$T/fast"
	if [ -n "$FB_ROOT" ]; then	# where 200,000 files cost little
		mount -t tmpfs -o size=2g,mode=755 none "$T/fast"
		SRC=$T/fast/source MD=$T/fast/home/Maildir
		mkdir "$SRC" "$T/fast/home"
		give "$OWNER" "$T/fast/home"
	fi
	ses many "$SRC" 100000
	give "$ENGINE" "$SRC"
	background fb_sync --json
	wait_for test -d "$MD/new"
	wait_for eval '[ "$(ls -f "$MD/new" | wc -l)" -gt 300 ]'
	kill -TERM $(named fallbackmx "$BG" | head -n 1)
	wait "$BG" && code=0 || code=$?
	same "$code" 75
	output=$(cat "$T/bg.out")
	counted listed=100000
	first=$(number imported "$output")
	[ "$first" -gt 0 ]
	[ "$(number waiting "$output")" -gt 0 ]
	same "$(ls "$MD/new" | wc -l)" "$first"
	same "$(number deleted "$output")" "$first"

	expect 75 fb_sync --json --max-time 1
	second=$(number imported "$output")
	[ "$(number waiting "$output")" -gt 0 ]
	same "$(number listed "$output")" $((100000 - first))
	same "$(ls "$MD/new" | wc -l)" $((first + second))

	expect 0 fb_sync_measured --json
	same "$(number imported "$output")" $((100000 - first - second))
	peak "$((100000 - first - second)) objects"
	ses check-many "$MD" 100000
	same "$(count "$SRC")" 0
}
