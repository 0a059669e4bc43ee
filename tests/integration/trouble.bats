#!/usr/bin/env bats
# fallbackmx sync: overlap, other ledgers, signals, broken surroundings, and
# who it runs as. Run once started as root, once as a plain user (see run.sh).

load helpers

@test "overlap: a second run is silent and counts nothing, 75 after 1 h (F43)" {
	mails 1
	expect 0 fb_sync
	mails 2 10
	exec 8<"$(echo "$STATE"/lock.*)"
	flock 8
	expect 0 fb_sync
	silent
	expect 0 fb_sync --json
	counted listed=0 imported=0
	touch -d '59 minutes ago' "$STATE"/lock.*
	expect 0 fb_sync
	silent
	touch -d '61 minutes ago' "$STATE"/lock.*
	expect 75 fb_sync
	[ "${#stderr_lines[@]}" = 1 ]
	exec 8<&-
	expect 0 fb_sync --json
	counted imported=2
}

@test "overlap: twenty runs at once deliver every mail once" {
	mails 60
	for n in $(seq 20); do
		fb_sync >"$T/out.$n" 2>&1 3>&- &
		echo $! >>"$T/pids"
	done
	for p in $(cat "$T/pids"); do
		wait "$p" || echo "exit $?" >>"$T/out.codes"
	done
	same "$(cat "$T"/out.*)" ""
	expect 0 fb_sync
	delivered
}

@test "a Maildir of another ledger is refused (78) until --take-over" {
	mails 3
	expect 0 fb_sync --keep
	STATE=$T/var/second
	expect 78 fb_sync --keep
	says "$MD"
	says --take-over
	delivered
	expect 0 fb_sync --keep --take-over
	delivered
	# once is enough, and the first ledger is the foreign one now
	mails 1 8
	expect 0 fb_sync
	delivered
	STATE=$T/var/state
	mails 1 9
	expect 78 fb_sync
	same "$(count "$SRC")" 1
}

# signalled SIGNAL CODE: a run that gets it while it stages the first of
# several batches ends with CODE; the next one does the rest.
signalled() {
	local run
	rm -rf "$STATE" "$MD" "$T/sent"
	mails 3
	big 120M
	touch -d 2001-01-01 "$SRC/big"
	held
	background fb_sync --json
	wait_for staging
	run=$(named fallbackmx "$BG")
	[ -n "$run" ]
	kill -"$1" $run
	released
	wait "$BG" && code=0 || code=$?
	same "$code" "$2"
	same "$(count "$MD/fallbackmx.stage")" 1	# the mark
	output=$(cat "$T/bg.out")
	counted listed=4 imported=1 waiting=3
	same "$(count "$MD/new")" 1
	expect 0 fb_sync
	same "$(count "$SRC")" 0
	find "$MD/new" -size +1M -delete
	delivered
}
staging() {
	find "$MD/fallbackmx.stage" -type f -size +1M 2>/dev/null | grep -q .
}

@test "SIGTERM, SIGINT, SIGHUP: the batch is finished, then 75 (F64)" {
	for signal in TERM INT HUP; do
		signalled $signal 75
	done
}

@test "SIGPIPE is nothing to it (F64)" {
	mails 3
	big
	held
	background fb_sync
	wait_for staging
	n=0
	for p in $(named fallbackmx "$BG") $(named fallbackmx-engine "$BG") \
	    $(named fallbackmx-deliver "$BG"); do
		! kill -PIPE "$p" || n=$((n + 1))
	done
	[ "$n" -ge 2 ]
	released
	wait "$BG"
	same "$(count "$SRC")" 0
	same "$(count "$MD/new")" 4
}

@test "output that does not arrive is an error, the mail is delivered" {
	mails 2
	expect 74 full
	delivered
	same "$(count "$SRC")" 0
}
full() { fb_sync --json >/dev/full; }

@test "a file that is no ledger is refused, not overwritten (F37)" {
	mails 2
	mkdir -m 700 "$STATE"
	head -c 8192 /dev/urandom >"$STATE/ledger.db"
	chmod 600 "$STATE/ledger.db"
	give "$ENGINE" "$STATE"
	sum=$(sha256sum <"$STATE/ledger.db")
	run --separate-stderr fb_sync
	[ "$status" != 0 ]
	[ -n "$stderr" ]
	same "$(sha256sum <"$STATE/ledger.db")" "$sum"
	same "$(count "$SRC")" 2
	[ ! -e "$MD" ] || same "$(count "$MD")" 0
}

@test "an unwritable state directory is an error, the source is kept" {
	mails 2
	echo plain >"$STATE"
	run --separate-stderr fb_sync
	[ "$status" != 0 ]
	says "$STATE"
	same "$(count "$SRC")" 2
}

@test "syslog: one line per mail with key, SES id, mailbox, file and size" {
	[ -n "$FB_SYSLOG" ] || skip "needs root for a /dev/log of its own"
	mail dir/one "$(ses id 41)"
	mail two "$(ses id 42)"
	: >"$FB_SYSLOG"
	expect 0 fb_sync
	wait_for lines_of_syslog 2
	same "$(grep -c "$(ses id 41)" "$FB_SYSLOG")" 1
	line=$(grep "$(ses id 41)" "$FB_SYSLOG")
	file=$(cd "$MD/new" && grep -l "$(ses id 41)" *)
	id=$(ses id 41)
	for word in fallbackmx "dir/one" "$id" "${id:0:24}@elsewhere.example" \
	    "$MD" "$file" "$(stat -c %s "$T/sent/dir/one")"; do
		[[ "$line" == *"$word"* ]] || { echo "no $word: $line"; false; }
	done
	# mail.info, as a priority in front
	[[ "$line" == "<22>"* ]]
	: >"$FB_SYSLOG"
	expect 0 fb_sync
	expect 0 fb_sync --dry-run
	same "$(cat "$FB_SYSLOG")" ""
}
lines_of_syslog() { [ "$(wc -l <"$FB_SYSLOG")" -ge "$1" ]; }

@test "syslog: a key cannot forge a line" {
	[ -n "$FB_SYSLOG" ] || skip "needs root for a /dev/log of its own"
	mail $'a\nfallbackmx: forged\e[31m'
	: >"$FB_SYSLOG"
	run fb_sync
	wait_for lines_of_syslog 1
	! grep -q $'\e' "$FB_SYSLOG"
	! grep -qF '\n' "$FB_SYSLOG"
}

@test "a problem goes to syslog, too" {
	[ -n "$FB_SYSLOG" ] || skip "needs root for a /dev/log of its own"
	mails 1
	MD=$HOME_DIR/none/Maildir
	: >"$FB_SYSLOG"
	expect 75 fb_sync
	wait_for says_cannot
}
says_cannot() { grep -F "$MD" "$FB_SYSLOG" | grep -q "cannot "; }

@test "root: the owner of the Maildir's home gets the mail; root never" {
	need_root
	started_as root
	mails 1
	chown root: "$HOME_DIR"
	expect 75 fb_sync
	says "$MD"
	[ ! -e "$MD" ]
	expect 64 fb_sync --owner nobody-of-that-name || expect 75 fb_sync \
	    --owner nobody-of-that-name
	run fb_sync --owner root
	[ "$status" != 0 ]
	run fb_sync --owner 0:0
	[ "$status" != 0 ]
	[ ! -e "$MD" ]
	same "$(count "$SRC")" 1
	chown bob: "$HOME_DIR"
	expect 0 fb_sync
	same "$(stat -c %U:%G "$MD"/new/*)" bob:bob
}

@test "root: --owner UID:GID serves users without a passwd entry" {
	need_root
	started_as root
	mails 1
	chown 61077:61078 "$HOME_DIR"
	expect 0 fb_sync --owner 61077:61078
	same "$(stat -c %u:%g "$MD"/new/*)" 61077:61078
}

@test "root: state goes to /var/lib/fallbackmx when nothing is said" {
	need_root
	started_as root
	mount -t tmpfs none /var/lib
	mails 1
	run --separate-stderr fb sync "file://$SRC/" "$MD"
	made=$(stat -c '%a %U' /var/lib/fallbackmx /var/lib/fallbackmx/ledger.db)
	umount /var/lib
	same "$status" 0
	same "$made" "700 fallbackmx
600 fallbackmx"
	delivered
}

@test "plain user: state goes below the home of the passwd entry, not HOME" {
	need_root
	started_as alice
	rm -rf "$FB_WORLD/home"
	mkdir -p "$FB_WORLD/home/alice" "$T/trap"
	give alice "$FB_WORLD/home/alice" "$T/trap"
	before=$(tree "$T/trap")
	mails 1
	HOME=$T/trap XDG_STATE_HOME=$T/trap expect 0 fb sync "file://$SRC/" "$MD"
	state=$FB_WORLD/home/alice/.local/state/fallbackmx
	same "$(stat -c '%a %U' "$state" "$state/ledger.db")" "700 alice
600 alice"
	same "$(tree "$T/trap")" "$before"
	delivered
	rm -rf "$FB_WORLD/home"
}

@test "plain user without a passwd entry: --state-dir is demanded" {
	need_root
	started_as alice
	mails 1
	chown -R 61099:61099 "$SRC" "$HOME_DIR"
	run --separate-stderr setpriv --reuid=61099 --regid=61099 \
	    --clear-groups -- "$FB_BIN/fallbackmx" sync "file://$SRC/" "$MD"
	[ "$status" != 0 ]
	says --state-dir
	[ ! -e "$MD" ]
}
