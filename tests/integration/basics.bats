#!/usr/bin/env bats
# fallbackmx sync: what a user sees of a run, its exit codes and its words.
# Run once started as root, once as a plain user (see run.sh).

load helpers

@test "two arguments: every object delivered, source emptied, nothing said" {
	mails 5
	expect 0 fb_sync
	silent
	delivered
	same "$(count "$SRC")" 0
}

@test "a second run does nothing" {
	mails 3
	expect 0 fb_sync
	before=$(tree "$MD" "$SRC")
	expect 0 fb_sync --json
	counted listed=0 imported=0 deleted=0 bytes=0
	same "$(tree "$MD" "$SRC")" "$before"
}

@test "subdirectories of the source are walked, dot names are not" {
	mail alice/inbox/1
	mail bob/2 "$(ses id 2)"
	mkdir "$SRC/.hidden"
	ses make "$SRC/.hidden/3"
	ses make "$SRC/.4"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --json
	counted listed=2 imported=2
	delivered
	[ -f "$SRC/.hidden/3" ]
	[ -f "$SRC/.4" ]
}

@test "--json: one object on one line, exactly the keys, the sum right" {
	mails 3
	: >"$SRC/empty"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --json
	[ "${#lines[@]}" = 1 ]
	"$FB_PYTHON" - "$output" <<-'END'
	import json, sys
	r = json.loads(sys.argv[1])
	want = ('listed imported duplicate skipped waiting unrouted deferred '
	        'suspect gone deleted failed bytes seconds').split()
	assert list(r) == want, list(r)
	for k in want[:-1]:
	    assert type(r[k]) is int, k
	assert isinstance(r['seconds'], (int, float)) and r['seconds'] >= 0
	assert r['listed'] == sum(r[k] for k in want[1:9]) + r['failed'] == 4
	assert r['imported'] == 3 and r['deleted'] == 3 and r['skipped'] == 1
	END
	same "$(number bytes "$output")" "$(cat "$T"/sent/* | wc -c)"
}

@test "-v: one summary line, the last on stderr; nothing on stdout" {
	mails 3
	expect 0 fb_sync -v
	same "$output" ""
	last=${stderr_lines[-1]}
	[[ "$last" =~ ^fallbackmx:\ listed=3\ imported=3\ duplicate=0\ skipped=0\  ]]
	[[ "$last" =~ \ seconds=[0-9.]+$ ]]
	same "$(grep -c listed= <<<"$stderr")" 1
	expect 0 fb_sync --verbose
	says "listed=0"
}

@test "on a terminal the summary comes without -v" {
	mails 2
	expect 0 as "$CALLER" "$FB_PYTHON" "$FB_HERE/terminal.py" \
	    "$FB_BIN/fallbackmx" sync --state-dir "$STATE" "file://$SRC/" "$MD"
	[[ "$output" == *"fallbackmx: listed=2 imported=2 "* ]]
	delivered
}

@test "--json on a terminal still has stdout for itself" {
	mails 2
	expect 0 as "$CALLER" "$FB_PYTHON" "$FB_HERE/terminal.py" -o "$T/var/out" \
	    "$FB_BIN/fallbackmx" sync --json --state-dir "$STATE" \
	    "file://$SRC/" "$MD"
	same "$(number imported "$(cat "$T/var/out")")" 2
}

@test "--dry-run before anything: says what is new, makes nothing at all" {
	mail a/1
	mail 2 "$(ses id 2)"
	before=$(tree "$T")
	expect 0 fb_sync --dry-run
	same "$(printf '%s\n' "${lines[@]}" | sort)" \
	    "2 -> $MD [new]
a/1 -> $MD [new]"
	same "$stderr" ""
	same "$(tree "$T")" "$before"
	expect 0 fb_sync -n --json
	counted listed=2
	same "$(tree "$T")" "$before"
}

@test "--dry-run after a run: done and duplicate, inodes and times untouched" {
	mails 2
	expect 0 fb_sync --keep
	cp "$SRC/$(ses id 1)" "$SRC/again"
	mail new "$(ses id 7)"
	give "$ENGINE" "$SRC"
	before=$(tree "$T")
	expect 0 fb_sync --dry-run
	[[ "$output" == *"$(ses id 0) -> $MD [done]"* ]]
	[[ "$output" == *"new -> $MD [new]"* ]]
	[[ "$output" == *"again -> $MD [duplicate]"* ]]
	same "$(tree "$T")" "$before"
}

# The write-ahead log of a killed run: whoever opens it must not tidy it up.
@test "--dry-run and --audit leave the ledger's WAL of a killed run alone" {
	mails 20
	expect 0 fb_sync
	for first in 100 300 500 700; do	# a fast run may be over before
		mails 200 "$first"
		big 120M
		background fb_sync
		wait_for eval '[ -s "$STATE/ledger.db-wal" ] || ended "$BG"'
		stop
		wait_for no_locks
		[ -s "$STATE/ledger.db-wal" ] && break
	done
	[ -s "$STATE/ledger.db-wal" ]
	rm -f "$SRC/big"	# the kill may have come late
	before=$(tree "$T")
	expect 0 fb_sync --dry-run
	same "$(tree "$T")" "$before"
	run fb_sync --audit
	same "$(tree "$T")" "$before"
	expect 0 fb_sync
	find "$MD/new" -size +1M -delete
	delivered
}
no_locks() { # the killed run's children are gone as well
	flock -n "$STATE"/lock.* true && flock -n "$MD/fallbackmx.stage" true
}

@test "--keep: the source stays, nothing comes twice; later it is emptied" {
	mails 3
	before=$(tree "$SRC")
	expect 0 fb_sync --keep --json
	counted imported=3 deleted=0
	expect 0 fb_sync --keep --json
	counted listed=3 imported=0 skipped=3 deleted=0
	same "$(tree "$SRC")" "$before"
	delivered
	expect 0 fb_sync --json
	counted listed=3 imported=0 skipped=3 deleted=3
	same "$(count "$SRC")" 0
	delivered
}

@test "the same object put again after it was imported: not a second mail" {
	mails 2
	expect 0 fb_sync
	cp -a "$T/sent/." "$SRC"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --json
	counted listed=2 imported=0 duplicate=2 deleted=2
	delivered
}

@test "another object under the same key is another mail" {
	mail key
	expect 0 fb_sync
	mkdir "$T/both"
	cp -a "$T/sent/key" "$T/both/1"
	mail key "$(ses id 2)" alice@example.com 1674900000 other
	cp -a "$T/sent/key" "$T/both/2"
	expect 0 fb_sync --json
	counted imported=1
	delivered "$MD" "$T/both"
}

@test "a mail the user filed, flagged or deleted does not come back" {
	mails 4
	expect 0 fb_sync --keep
	set -- "$MD"/new/*
	mv "$1" "$MD/cur/${1##*/}:2,S"
	mkdir -p "$MD/.Archive/cur"
	mv "$2" "$MD/.Archive/cur/${2##*/}:2,RS"
	rm "$3"
	before=$(find "$MD" -name '*.fallbackmx,S=*' | sort)
	expect 0 fb_sync --json
	counted listed=4 imported=0 skipped=4 deleted=4
	same "$(find "$MD" -name '*.fallbackmx,S=*' | sort)" "$before"
}

@test "--audit: 0 and silent when all agrees, also after the user acted" {
	mails 4
	expect 0 fb_sync --keep
	before=$(tree "$T")
	expect 0 fb_sync --audit
	silent
	same "$(tree "$T")" "$before"
	expect 0 fb_sync
	set -- "$MD"/new/*
	mv "$1" "$MD/cur/${1##*/}:2,S"
	rm "$2"
	expect 0 fb_sync --audit
}

@test "--audit: 65 for a mail whose bytes changed, and names it" {
	mails 3
	expect 0 fb_sync
	set -- "$MD"/new/*
	printf x | dd of="$2" bs=1 seek=700 conv=notrunc status=none
	before=$(tree "$T")
	expect 65 fb_sync --audit
	says "${2##*/}"
	[ "${#stderr_lines[@]}" = 1 ]
	same "$(tree "$T")" "$before"
}

@test "--audit: 65 for a mail that was cut, seen or not" {
	mails 3
	expect 0 fb_sync
	set -- "$MD"/new/*
	truncate -s 100 "$3"
	mv "$3" "$MD/cur/${3##*/}:2,S"
	expect 65 fb_sync --audit
	says "${3##*/}"
}

@test "--audit: 65 when the ledger lost its rows" {
	mail 1 "$(ses id 1)" alice@example.com "$(date +%s)"
	expect 0 fb_sync
	"$FB_PYTHON" "$FB_HERE/ledger.py" "$STATE/ledger.db" forget
	expect 65 fb_sync --audit
	[ -n "$stderr" ]
}

@test "--audit: 65 when an object that is not delivered anywhere was deleted" {
	mails 3
	expect 0 fb_sync
	"$FB_PYTHON" "$FB_HERE/ledger.py" "$STATE/ledger.db" undo
	expect 65 fb_sync --audit
}

@test "usage: unknown words are 64 and the nearest known one is named" {
	expect 64 fb
	[ -n "$stderr" ]
	expect 64 fb snyc
	says sync
	expect 64 fb sync --jsom
	says --json
	expect 64 fb sync --state-dri x
	says --state-dir
	expect 64 fb_sync extra
	expect 64 fb sync "file://$SRC/"
	expect 64 fb sync --max-time
	expect 64 fb_sync --max-time soon
	expect 64 fb_sync --max-time -1
	expect 64 fb_sync --max-time 1x
	expect 64 fb_sync --json=yes
	expect 64 fb config
	expect 64 fb config chekc
	says check
	[ ! -e "$STATE" ]
}

@test "--help and --version answer on stdout" {
	for words in --help 'sync --help' 'config --help' --version; do
		expect 0 fb $words
		[ -n "$output" ]
		same "$stderr" ""
	done
	expect 0 fb sync --help
	for option in config state-dir owner keep dry-run max-time json \
	    verbose audit take-over help; do
		[[ "$output" == *"--$option"* ]]
	done
}

@test "URLs that are none are refused" {
	expect 64 fb sync --state-dir "$STATE" s3://b/ "$MD"
	says "s3://BUCKET/PREFIX/"
	[ ! -e "$MD" ]
	expect 64 fb sync --state-dir "$STATE" "http://example.com/" "$MD"
	expect 64 fb sync --state-dir "$STATE" "file://relative/" "$MD"
}

@test "a source that is not there: named, not 0, nothing made in its place" {
	run --separate-stderr fb sync --state-dir "$STATE" \
	    "file://$T/nowhere/" "$MD"
	[ "$status" != 0 ]
	says "$T/nowhere"
	says "No such file"
	[ ! -e "$T/nowhere" ]
}

@test "a Maildir whose parent is not there: deferred, source kept" {
	mails 2
	MD=$HOME_DIR/none/Maildir
	expect 75 fb_sync --json
	counted listed=2 deferred=2 deleted=0
	says "$MD"
	[ ! -e "$HOME_DIR/none" ]
	same "$(count "$SRC")" 2
}

@test "a home directory given as Maildir is refused, nothing is made in it" {
	mails 2
	mkdir "$HOME_DIR/Documents"
	echo x >"$HOME_DIR/notes"
	give "$OWNER" "$HOME_DIR"
	MD=$HOME_DIR
	before=$(tree "$HOME_DIR")
	run --separate-stderr fb_sync
	[ "$status" = 75 ] || [ "$status" = 78 ]
	says "$HOME_DIR"
	same "$(tree "$HOME_DIR")" "$before"
	same "$(count "$SRC")" 2
}

@test "a file given as Maildir is refused" {
	mails 1
	echo x >"$MD"
	give "$OWNER" "$MD"
	before=$(tree "$MD")
	run --separate-stderr fb_sync
	[ "$status" = 75 ] || [ "$status" = 78 ]
	says "$MD"
	same "$(tree "$MD")" "$before"
	same "$(count "$SRC")" 1
}

@test "a missing Maildir is made 0700 with new, cur and tmp" {
	mails 1
	(umask 000 && fb_sync)
	for d in "$MD" "$MD/new" "$MD/cur" "$MD/tmp"; do
		same "$(stat -c '%a %F' "$d")" "700 directory"
		same "$(stat -c %U "$d")" "$(stat -c %U "$HOME_DIR")"
	done
}

@test "mail already in the Maildir stays as it is" {
	mkdir -m 700 "$MD" "$MD/new" "$MD/cur" "$MD/tmp"
	echo old >"$MD/new/1.old.host"
	echo read >"$MD/cur/2.old.host:2,S"
	echo half >"$MD/tmp/3.old.host"
	give "$OWNER" "$MD"
	before=$(tree "$MD/new/1.old.host" "$MD/cur" "$MD/tmp")
	mails 2
	expect 0 fb_sync
	same "$(tree "$MD/new/1.old.host" "$MD/cur" "$MD/tmp")" "$before"
	same "$(count "$MD/new")" 3
}

@test "two Maildirs and two sources in one state directory keep apart" {
	mails 2
	expect 0 fb_sync --keep
	first=$MD MD=$HOME_DIR/Second
	expect 0 fb_sync --keep --json
	counted imported=2
	delivered "$first"
	delivered
	expect 0 fb_sync --json
	counted imported=0 skipped=2 deleted=2
}
