#!/usr/bin/env bats
# Who may what: the processes of a run started as root, seen from outside
# while it is held, and from inside by a deliverer that tries everything.

load helpers

more_setup() {
	need_root
	started_as root
	A=$T/alice/Maildir B=$T/bob/Maildir
	mkdir -m 700 "$T/alice" "$T/bob"
	give alice "$T/alice"
	give bob "$T/bob"
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/alice/Maildir", "owner": "alice" },
	    { "prefix": "b/", "maildir": "@/bob/Maildir", "owner": "bob" } ] } ] }'
}

in_stage() { # a mail is being staged
	local f
	for f in "$A"/fallbackmx.stage/*; do
		[ -s "$f" ] && return
	done
	return 1
}

in_stage_or_over() { in_stage || ended "$BG"; }

# hold [COMMAND...]: a run is under way (started by the command) and stopped
# while alice's deliverer works; $BIG is the object. What runs has a low
# priority, so that whoever looks comes in time where others work, too; if he
# does not, that run ends, and another one begins.
hold() {
	local n
	mkdir -p "$T/sent/a" "$SRC/a"
	for n in $(seq 10); do
		BIG=$SRC/a/big$n
		ses make "$T/sent/a/big$n" "$(ses id $((900 + n)))"
		truncate -s 200M "$T/sent/a/big$n"
		offer "a/big$n"
		background nice -n 10 "$@" timeout -k 5 300 \
		    "$FB_BIN/fallbackmx" sync --config "$CONFIG"
		wait_for in_stage_or_over
		! stopped || return 0
		echo "too late $n times"
		go_on || :
		wait "$BG"
	done
	return 1
}

stopped() { # all of them, with the mail in the stage
	local p all
	for p in $(family "$BG"); do
		[ "$p" = "$BG" ] || kill -STOP "$p" 2>/dev/null || :
	done
	all=$(family "$BG")
	PIDS=$all DELIVERER=
	for p in $(named fallbackmx-deliver "$BG"); do
		! grep -qF "$A" "/proc/$p/cmdline" || DELIVERER=$p
	done
	SPAWNER=$(named fallbackmx "$BG")
	ENGINE_PID=$(named fallbackmx-engine "$BG")
	set -- $SPAWNER $ENGINE_PID $DELIVERER
	[ $# = 3 ] && in_stage
}

go_on() {
	renice -n 0 -p $PIDS >/dev/null 2>&1 || :
	kill -CONT $PIDS 2>/dev/null
}

finish() {
	go_on
	wait "$BG"
}

status_of() { # PID FIELD
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | xargs
}

ids() { printf '%s %s %s %s' "$1" "$1" "$1" "$1"; }

@test "a held run: who is who, and nobody can become root again" {
	hold
	same "$(status_of "$SPAWNER" Uid)" "$(ids 0)"
	same "$(status_of "$ENGINE_PID" Uid)" "$(ids 61000)"
	same "$(status_of "$ENGINE_PID" Gid)" "$(ids 61000)"
	same "$(status_of "$ENGINE_PID" Groups)" 61000
	same "$(status_of "$DELIVERER" Uid)" "$(ids 61001)"
	same "$(status_of "$DELIVERER" Gid)" "$(ids 61001)"
	same "$(status_of "$DELIVERER" Groups | tr ' ' '\n' | sort | xargs)" \
	    "61001 61090"
	for p in "$ENGINE_PID" "$DELIVERER"; do
		same "$(status_of "$p" NoNewPrivs)" 1
		for set in CapInh CapPrm CapEff CapAmb; do
			same "$set $(status_of "$p" $set)" \
			    "$set 0000000000000000"
		done
	done
	finish
	delivered "$A" "$T/sent/a"
}

@test "a held run: the deliverer has its Maildir and the object, no more" {
	hold
	same "$(tr '\0' ' ' <"/proc/$DELIVERER/cmdline")" \
	    "fallbackmx-deliver $A "
	same "$(wc -c <"/proc/$DELIVERER/environ")" 0
	for f in "/proc/$DELIVERER/fd"/*; do
		to=$(readlink "$f") || continue
		case ${f##*/}:$to in
		0:socket:* | 1:/dev/null | 2:/dev/null) ;;
		*:"$A" | *:"$A"/*) ;;
		*:/memfd:* | *" (deleted)") ;;	# the object
		*) echo "$f is $to"; false ;;
		esac
	done
	grep -q '^Max core file size *0 *0 ' "/proc/$DELIVERER/limits"
	finish
}

@test "a held run: the engine has state, source and sockets, no more" {
	hold
	for f in "/proc/$ENGINE_PID/fd"/*; do
		to=$(readlink "$f") || continue
		case ${f##*/}:$to in
		[012]:*) ;;		# the caller's
		*:socket:* | *:pipe:* | *:anon_inode:*) ;;
		*:"$STATE" | *:"$STATE"/* | *:"$SRC" | *:"$SRC"/*) ;;
		*:"${SRC%/}"*) ;;
		*:/memfd:* | *" (deleted)") ;;
		*) echo "$f is $to"; false ;;
		esac
	done
	grep -q '^Max core file size *0 *0 ' "/proc/$ENGINE_PID/limits"
	finish
}

# probed: a run whose deliverer is the probe; $REPORT is what it said.
probed() {
	mkdir "$T/bin"
	mkdir -m 1777 "$T/report"
	cp "$FB_BIN/fallbackmx" "$T/bin"
	cp "$FB_HERE/probe.py" "$T/bin/fallbackmx-deliver"
	sed -i "1s|/usr/bin/python3|$FB_PYTHON|" "$T/bin/fallbackmx-deliver"
	chmod 755 "$T/bin" "$T/bin/fallbackmx-deliver"
	echo "$T" >"$T/bin/probe.where"
	echo secret >"$T/secret"
	chmod 600 "$T/secret"
	mkdir -p "$T/sent/a" "$SRC/a"
	ses make "$T/sent/a/1"
	offer a/1
	run --separate-stderr timeout -k 5 100 "$T/bin/fallbackmx" sync \
	    --config "$CONFIG" </dev/null
	same "$(ls "$T/report" | wc -l)" 1
	REPORT=$(cat "$T/report"/*)
	[[ "$REPORT" == *"end 1" ]]
}
reported() { # NAME VALUE
	same "$(grep "^$1 " <<<"$REPORT" | sort -u)" "$1 $2"
}

@test "from inside: ids, groups, capabilities, descriptors, environment" {
	probed
	reported Uid "$(ids 61001)"
	reported Gid "$(ids 61001)"
	reported Groups "61001 61090"
	reported NoNewPrivs 1
	for set in CapInh CapPrm CapEff CapAmb; do
		reported $set 0000000000000000
	done
	reported fds "0=socket 1=/dev/null 2=/dev/null"
	reported environment 0
	reported argv "$A"
	reported core 0
	[ "$(sed -n 's/^others //p' <<<"$REPORT")" -ge 1 ]
}

@test "from inside: no way back to root, to the engine, to others' files" {
	probed
	for deed in setuid setresuid setgid setgroups chroot kill ptrace mem \
	    environ secret ledger state source other-home write-other \
	    write-above; do
		reported $deed denied
	done
	reported own-home ALLOWED	# so that "denied" means something
}

@test "a deliverer that lies or dies costs no mail" {
	probed
	same "$status" 75
	[[ "$stderr" == *"$A"* ]]
	[ -f "$SRC/a/1" ]
	expect 0 fb sync --config "$CONFIG"
	delivered "$A" "$T/sent/a"
}

@test "a deliverer that is missing or may not be run is said, mail kept" {
	mkdir "$T/bin"
	cp "$FB_BIN/fallbackmx" "$T/bin"
	mkdir -p "$T/sent/a" "$SRC/a"
	ses make "$T/sent/a/1"
	offer a/1
	printf 'no program' >"$T/bin/fallbackmx-deliver"
	chmod 755 "$T/bin/fallbackmx-deliver"
	run --separate-stderr timeout 100 "$T/bin/fallbackmx" sync \
	    --config "$CONFIG" </dev/null
	[ "$status" != 0 ]
	says fallbackmx-deliver
	[ -f "$SRC/a/1" ]
}

@test "the deliverer itself refuses root and strange callers" {
	run --separate-stderr "$FB_BIN/fallbackmx-deliver" "$A" </dev/null
	[ "$status" != 0 ]
	says root
	for who in alice bob; do
		run --separate-stderr as $who "$FB_BIN/fallbackmx-deliver" \
		    "$T/$who/Maildir" </dev/null
		[ "$status" != 0 ]
		[ ! -e "$T/$who/Maildir" ]
	done
	expect 64 as alice "$FB_BIN/fallbackmx-deliver"
	expect 64 as alice "$FB_BIN/fallbackmx-deliver" relative
}

@test "modes: state 0700, ledger 0600, Maildir 0700, mail 0600" {
	for mask in 000 027 077; do
		rm -rf "$STATE" "$A"
		mkdir -p "$T/sent/a" "$SRC/a"
		ses make "$T/sent/a/1"
		offer a/1
		(umask $mask && fb sync --config "$CONFIG")
		same "$(stat -c '%a %U %G' "$STATE")" "700 fallbackmx fallbackmx"
		for f in "$STATE"/*; do
			same "$(stat -c '%a %U' "$f")" "600 fallbackmx"
		done
		for d in "$A" "$A/new" "$A/cur" "$A/tmp" \
		    "$A/fallbackmx.stage"; do
			same "$(stat -c '%a %U %G' "$d")" "700 alice alice"
		done
		for f in "$A"/new/* "$A/fallbackmx.stage/.mark"; do
			same "$(stat -c '%a %U %G' "$f")" "600 alice alice"
		done
	done
}

@test "a state directory that others may enter is refused or closed" {
	mkdir -p "$T/sent/a" "$SRC/a"
	ses make "$T/sent/a/1"
	offer a/1
	mkdir -m 777 "$STATE"
	chown bob: "$STATE"
	run --separate-stderr fb sync --config "$CONFIG"
	if [ "$status" = 0 ]; then
		same "$(stat -c '%a %U' "$STATE")" "700 fallbackmx"
	else
		says "$STATE"
		same "$(stat -c '%a %U' "$STATE")" "777 bob"
		[ -f "$SRC/a/1" ]
	fi
}

@test "the caller's environment moves nothing (F62)" {
	mkdir -m 555 "$T/trap"
	mkdir -p "$T/sent/a" "$SRC/a"
	ses make "$T/sent/a/1"
	head -c 3000000 /dev/zero | tr '\0' x >>"$T/sent/a/1"
	offer a/1
	before=$(tree "$T/trap")
	expect 0 env HOME="$T/trap" TMPDIR="$T/trap" SQLITE_TMPDIR="$T/trap" \
	    XDG_STATE_HOME="$T/trap" XDG_CONFIG_HOME="$T/trap" TZ=:/etc/shadow \
	    http_proxy=http://127.0.0.1:9/ https_proxy=http://127.0.0.1:9/ \
	    ALL_PROXY=http://127.0.0.1:9/ SSLKEYLOGFILE="$T/trap/keys" \
	    IFS=x PATH=/nowhere BASH_ENV="$T/trap/x" ENV="$T/trap/x" \
	    FALLBACKMX_STATE="$T/trap" LC_ALL=xx_XX LANG=xx \
	    GCONV_PATH="$T/trap" LOCPATH="$T/trap" MALLOC_TRACE="$T/trap/m" \
	    "$FB_BIN/fallbackmx" sync --config "$CONFIG"
	silent
	same "$(tree "$T/trap")" "$before"
	delivered "$A" "$T/sent/a"
	[ -f "$STATE/ledger.db" ]
}

@test "the caller's environment does not reach the deliverer (F62)" {
	export http_proxy=http://127.0.0.1:9/ HOME=/nowhere TMPDIR=/nowhere
	hold env SECRET=x
	same "$(wc -c <"/proc/$DELIVERER/environ")" 0
	finish
}

@test "open descriptors and closed ones of the caller do no harm" {
	mkdir -p "$T/sent/a" "$SRC/a"
	ses make "$T/sent/a/1"
	offer a/1
	echo precious >"$T/precious"
	exec 7<>"$T/precious" 200<>"$T/precious"
	hold
	for p in "$ENGINE_PID" "$DELIVERER"; do
		! readlink "/proc/$p/fd"/* | grep precious
	done
	finish
	exec 7<&- 200<&-
	same "$(cat "$T/precious")" precious
	ses make "$T/sent/a/2" "$(ses id 2)"
	offer a/2
	MD=$A
	"$FB_BIN/fallbackmx" sync --config "$CONFIG" <&- >&- 2>&- 3>&- 4>&-
	delivered "$A" "$T/sent/a"
}

@test "it works with the capabilities of the systemd unit and no others" {
	unit=$FB_BUILD/scripts/systemd/fallbackmx-sync.service
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" |
	    tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
	[ -n "$caps" ]
	mkdir -m 700 "$STATE"		# tmpfiles.d's
	give fallbackmx "$STATE"
	mkdir -p "$T/sent/a" "$SRC/a" "$T/sent/b" "$SRC/b"
	ses make "$T/sent/a/1"
	ses make "$T/sent/b/2" "$(ses id 2)"
	offer a/1
	offer b/2
	sed -i 's/, "owner": "[a-z]*"//' "$CONFIG"	# found by lstat
	expect 0 setpriv --bounding-set "-all,$caps" --inh-caps=-all \
	    --no-new-privs "$FB_BIN/fallbackmx" sync --config "$CONFIG"
	silent
	delivered "$A" "$T/sent/a"
	delivered "$B" "$T/sent/b"
}

@test "a plain user cannot deliver into another's Maildir" {
	mkdir -p "$T/sent/a" "$SRC/a"
	ses make "$T/sent/a/1"
	offer a/1
	give alice "$SRC" "$T/var"
	CALLER=alice
	sed -i 's|"a/"|"c/"|; s|"b/"|"a/"|' "$CONFIG"
	chown alice "$CONFIG"
	expect 75 fb sync --config "$CONFIG"
	says "$B"
	[ ! -e "$B" ]
	[ -f "$SRC/a/1" ]
}

@test "all but the deliverer are killed: the mail comes once (F43)" {
	hold
	kill -KILL "$ENGINE_PID" "$SPAWNER"
	wait "$BG" || :
	for n in 1 2 3; do
		run fb sync --config "$CONFIG"
		[ "$status" = 0 ] || [ "$status" = 75 ]
	done
	expect 0 fb sync --config "$CONFIG"
	delivered "$A" "$T/sent/a"
}

@test "a deliverer of a killed run still holds a Maildir: it waits (F43)" {
	mkdir -p "$T/sent/a" "$SRC/a" "$T/sent/b" "$SRC/b"
	ses make "$T/sent/a/1"
	offer a/1
	expect 0 fb sync --config "$CONFIG"
	ses make "$T/sent/a/2" "$(ses id 2)"
	ses make "$T/sent/b/3" "$(ses id 3)"
	offer a/2
	offer b/3
	exec 8<"$A/fallbackmx.stage"
	flock 8
	expect 75 fb sync --config "$CONFIG"
	says "$A"
	says locked
	same "$(count "$A/new")" 1
	delivered "$B" "$T/sent/b"
	exec 8<&-
	expect 0 fb sync --config "$CONFIG"
	delivered "$A" "$T/sent/a"
}

@test "the deliverer is killed: the others are served, next time he is (F43)" {
	mkdir -p "$T/sent/b" "$SRC/b"
	ses make "$T/sent/b/2" "$(ses id 2)"
	offer b/2
	touch -d 2001-01-01 "$SRC/b/2"
	hold
	kill -KILL "$DELIVERER"
	wait_for ended "$DELIVERER"
	PIDS=$(for p in $PIDS; do [ "$p" = "$DELIVERER" ] || echo "$p"; done)
	go_on
	wait "$BG" && code=0 || code=$?
	same "$code" 75
	grep -qF "$A" "$T/bg.err"
	[ -f "$BIG" ]
	delivered "$B" "$T/sent/b"
	expect 0 fb sync --config "$CONFIG"
	delivered "$A" "$T/sent/a"
}
