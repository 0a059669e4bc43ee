#!/usr/bin/env bats
# What comes back: objects that were away, Maildirs that were moved, gone or
# named twice, old ledgers, times and places that nobody expects. Run as run.sh
# says.

load helpers

both='{ "state_dir": "@/var/state", "sources": [
  { "url": "file://@/source/", "settle": 0, "recipients": "received",
    "catch_all": { "maildir": "@/home/rest" }, "mailboxes": [
      { "recipient": "alice@example.com", "maildir": "@/home/a" } ] } ] }'

in_new() { count "$HOME_DIR/$1/new"; }
configured() { fb sync --config "$CONFIG" --json "$@"; }

# The catch_all has its copy, alice has none: her Maildir is a file.
half_delivered() {
	configuration "$both"
	mail 1 "$(ses id 1)" alice@example.com
	: >"$HOME_DIR/a"
	give "$OWNER" "$HOME_DIR"
	expect 75 configured
	counted deferred=1 deleted=0
	rm "$HOME_DIR/a"
}

whole() {
	expect 0 configured
	counted imported=1 deleted=1
	same "$(in_new a) $(in_new rest)" "1 1"
	same "$(count "$SRC")" 0
}

@test "an object that cannot be read for one run is not given up" {
	half_delivered
	chmod 000 "$SRC/1"
	expect 75 configured
	counted failed=1 deleted=0
	chmod 600 "$SRC/1"
	whole
}

@test "an object that is away for one run is not given up" {
	half_delivered
	mv "$SRC/1" "$T/away"
	expect 0 configured
	counted listed=0
	mv "$T/away" "$SRC/1"
	whole
}

@test "kept objects that are away for one run do not come twice" {
	mails 3
	expect 0 fb_sync --keep
	mv "$SRC" "$T/away"
	mkdir -m 700 "$SRC"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync --keep
	rmdir "$SRC"
	mv "$T/away" "$SRC"
	expect 0 fb_sync --json
	counted imported=0 skipped=3 deleted=3
	delivered
}

@test "a Maildir that is reached under two names is refused under the second" {
	mails 3
	expect 0 fb_sync
	ln -s Maildir "$HOME_DIR/other"
	mail more "$(ses id 90)"
	MD=$HOME_DIR/other expect 78 fb_sync --owner "$OWNER"
	says "under another name"
	expect 0 fb_sync --json
	counted imported=1
	delivered
}

@test "a Maildir that was moved keeps its history with --take-over" {
	mails 3
	expect 0 fb_sync --keep
	mv "$MD" "$HOME_DIR/moved"
	MD=$HOME_DIR/moved
	expect 78 fb_sync --keep
	expect 0 fb_sync --keep --take-over --json
	counted imported=0 skipped=3
	expect 0 fb_sync --json
	counted imported=0 deleted=3
	delivered
	expect 0 fb_sync --audit
}

@test "a Maildir that has gone is not made anew: its disk may be missing" {
	mails 1
	expect 0 fb_sync
	mv "$MD" "$T/disk"
	mail more "$(ses id 90)"
	expect 75 fb_sync
	says "is its disk mounted?"
	[ ! -e "$MD" ]
	mv "$T/disk" "$MD"
	expect 0 fb_sync
	delivered
}

@test "an object from before 1970 is delivered, and the audit knows it" {
	mkdir -p "$T/sent"
	printf 'Subject: old\r\n\r\nx\r\n' >"$SRC/old"
	give "$ENGINE" "$SRC"
	touch -d 1960-01-01 "$SRC/old"
	expect 0 fb_sync --json
	counted imported=1 deleted=1
	[[ "$(ls "$MD/new")" == 0.F* ]]
	expect 0 fb_sync --audit
	rm -r "$T/var/state"
	expect 0 fb_sync --take-over
	expect 0 fb_sync --audit
}

@test "the same object in its place and where a killed run left it: one mail" {
	mkdir -m 700 "$SRC/.fallbackmx-removing"
	printf 'Subject: x\r\n\r\none\r\n' >"$SRC/.fallbackmx-removing/o"
	cp "$SRC/.fallbackmx-removing/o" "$SRC/o"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync
	same "$(count "$MD/new")" 1
	expect 0 fb_sync
	same "$(count "$MD/new") $(count "$SRC")" "1 0"
}

@test "a limit on the size of files is an error of that mail, not the end" {
	mail small "$(ses id 1)"
	truncate -s 3M "$SRC/large"
	give "$ENGINE" "$SRC"
	touch -d 2020-01-01 "$SRC/large"
	ulimit -S -f 2000
	expect 75 fb_sync --json
	ulimit -S -f unlimited
	counted imported=1 failed=1
	expect 0 fb_sync
	same "$(count "$MD/new")" 2
}

# object_named NUMBER: a new object, and the name that its mail will get in NAME. The
# name is made of the object alone: another Maildir and ledger tell it.
object_named() {
	mail more "$(ses id "$1")"
	rm -rf "$HOME_DIR/other" "$T/var/second"
	MD=$HOME_DIR/other STATE=$T/var/second expect 0 fb_sync --keep
	NAME=$(ls "$HOME_DIR/other/new")
	[ -n "$NAME" ]
}

@test "a name that is taken by the same mail is that mail (F36)" {
	mkdir -p "$T/sent"
	expect 0 fb_sync
	object_named 90
	mkdir -p "$MD/new" "$MD/cur" "$MD/tmp"
	cp -p "$HOME_DIR/other/new/$NAME" "$MD/new/"
	give "$OWNER" "$MD"
	expect 0 fb_sync --json
	counted imported=0 duplicate=1 deleted=1
	delivered
}

@test "a name that appears in a known Maildir with the same mail (F36)" {
	mails 1
	expect 0 fb_sync
	object_named 90
	cp -p "$HOME_DIR/other/new/$NAME" "$MD/new/"
	give "$OWNER" "$MD/new"
	expect 0 fb_sync --json
	counted imported=1 deleted=1
	delivered
}

@test "a name that is taken by another file: said, and the mail waits (F36)" {
	mails 1
	expect 0 fb_sync
	object_named 90
	echo other >"$MD/new/$NAME"
	give "$OWNER" "$MD/new"
	expect 75 fb_sync --json
	says "another file has the name new/$NAME"
	says "more stays in the source"
	counted imported=0 deferred=1 deleted=0
	same "$(cat "$MD/new/$NAME")" other
	same "$(count "$MD/fallbackmx.stage")" 1	# the mark
	rm "$MD/new/$NAME"
	expect 0 fb_sync --json
	counted imported=1 deleted=1
	delivered
}

@test "yesterday's ledger: what is in new/ or cur/ does not come twice (F38)" {
	mails 2
	expect 0 fb_sync --keep
	cp -a "$STATE" "$T/yesterday"
	mails 3 10
	expect 0 fb_sync --keep
	delivered
	read_it=$(ls "$MD/new" | tail -n 1)
	mv "$MD/new/$read_it" "$MD/cur/$read_it:2,S"
	rm -r "$STATE"
	cp -a "$T/yesterday" "$STATE"
	mails 1 20
	expect 0 fb_sync --json
	counted listed=6 imported=1 duplicate=3 skipped=2 deleted=6
	delivered
	expect 0 fb_sync --audit
}

# shifted SECONDS [OPTION...]: a run whose wall clock is off by so much.
shifted() {
	CLOCK_SHIFT=$1 LD_PRELOAD=$FB_BIN/clockshift.so fb_sync "${@:2}"
}

@test "a clock that is wrong by days or years changes nothing (F39)" {
	[ -e "$FB_BIN/clockshift.so" ] || skip "clockshift.so is not built"
	for by in 172800 -172800 630720000 -1700000000; do
		rm -rf "$STATE" "$MD" "$T/sent"
		mails 3
		expect 0 shifted "$by" --json
		counted imported=3 deleted=3
		delivered
		# The right time again; one object is stored a second time.
		mails 2 10
		cp "$T/sent/$(ls "$T/sent" | head -n 1)" "$SRC/"
		give "$ENGINE" "$SRC"
		expect 0 fb_sync --json
		counted imported=2 duplicate=1 deleted=3
		delivered
		expect 0 shifted "$by" --json
		counted listed=0
		expect 0 fb_sync --audit
	done
}

@test "what the ledger forgot after 90 days is no difference" {
	[ -e "$FB_BIN/clockshift.so" ] || skip "clockshift.so is not built"
	local day=86400 now
	now=$(date +%s)
	mail old "$(ses id 1)" alice@example.com $((now - 101 * day))
	expect 0 shifted $((-100 * day))
	mail new "$(ses id 2)" alice@example.com "$now"
	expect 0 fb_sync
	expect 0 fb_sync --audit
	"$FB_PYTHON" "$FB_HERE/ledger.py" "$STATE/ledger.db" forget
	expect 65 fb_sync --audit
	same "${#stderr_lines[@]}" 1
	delivered
}

@test "arrival around a change of the clocks, and after 2038 (F39)" {
	local n=0 when
	for when in 1679792399 1679792400 1679795999 1679796000 \
	    1698537600 1698541200 1698544800 2147483647 2147483648 4102444799
	do
		n=$((n + 1))
		mail "at-$when" "$(ses id $n)" alice@example.com "$when"
	done
	printf 'Subject: x\r\n\r\nno Received line\r\n' >"$T/sent/later"
	touch -d '2106-02-08 00:00 UTC' "$T/sent/later"
	offer later
	TZ=Europe/Berlin expect 0 fb_sync --json
	counted imported=11 deleted=11
	TZ=America/New_York delivered
	expect 0 fb_sync --audit
}
