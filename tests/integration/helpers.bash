# What the suites share. Loaded by each; run through run.sh, which exports
# FB_BIN (the programs), FB_HERE (the tools that lie beside this file), FB_WORLD
# (a directory for all of this run), FB_MODE (how the product is started: root
# or plain), FB_ROOT (set: we are root in a mount namespace of our own, the test
# users exist, /dev/log is ours), FB_SYSLOG (what came to /dev/log), FB_PYTHON,
# FB_BUILD, FB_TOP.

bats_require_minimum_version 1.5.0
LC_ALL=C
export LC_ALL

# IDS: of the objects that "ses many" makes, by their number.
[ -z "${FB_WORLD-}" ] || mapfile -t IDS <"$FB_WORLD/ids"

ses() {
	if [ "$1" = id ]; then
		echo "${IDS[$2]}"
	else
		"$FB_PYTHON" "$FB_HERE/ses.py" "$@"
	fi
}
tree() { "$FB_PYTHON" "$FB_HERE/tree.py" "$@"; }

need_root() {
	[ -n "$FB_ROOT" ] || skip "needs root and a mount namespace"
}

need() { # PROGRAM: is it there?
	command -v "$1" >/dev/null || [ -x "$1" ] || skip "needs $1"
}

# as USER COMMAND...: with nothing of the caller's, in USER's own groups. A
# plain user is himself, whoever is asked for.
as() {
	local user=$1
	shift
	if [ -n "$FB_ROOT" ] && [ "$user" != root ]; then
		setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
	else
		"$@"
	fi
}

# One source and one Maildir for a test, owned as the mode asks for.
# ENGINE reads the source, OWNER has the Maildir, CALLER starts the product.
setup() {
	[ -n "${FB_WORLD-}" ] || {
		echo "start me through run.sh" >&2
		return 1
	}
	T=$(mktemp -d "$FB_WORLD/t.XXXXXX")
	chmod 755 "$T"
	if [ -z "$FB_ROOT" ]; then
		ENGINE=$(id -un) OWNER=$ENGINE CALLER=$ENGINE
	elif [ "$FB_MODE" = root ]; then
		ENGINE=fallbackmx OWNER=alice CALLER=root
	else
		ENGINE=alice OWNER=alice CALLER=alice
	fi
	place
	PIDS=
	more_setup
}

# started_as USER: this test's product, whatever the mode of the suite.
started_as() {
	CALLER=$1 OWNER=alice ENGINE=$1
	[ "$1" != root ] || ENGINE=fallbackmx
	rm -rf "$SRC" "$HOME_DIR" "$T/var"
	place
}

place() {
	HOME_DIR=$T/home SRC=$T/source STATE=$T/var/state MD=$HOME_DIR/Maildir
	mkdir -m 700 "$SRC" "$HOME_DIR"
	mkdir -m 755 "$T/var"
	give "$ENGINE" "$SRC"
	give "$OWNER" "$HOME_DIR"
	[ "$CALLER" = root ] || give "$CALLER" "$T/var"
}
more_setup() { :; }

teardown() {
	local p
	for p in $(for p in $PIDS; do family "$p"; done); do
		kill -CONT "$p" 2>/dev/null || :
		kill -KILL "$p" 2>/dev/null || :
	done
	more_teardown
	if [ -n "${T-}" ]; then
		chmod -R u+rwx "$T" 2>/dev/null || :
		rm -rf --one-file-system "$T"
	fi
}
more_teardown() { :; }

give() { # USER PATH...: to whom it belongs from now on
	[ -z "$FB_ROOT" ] || chown -h -R "$1:" "${@:2}"
}

# fb ARGUMENTS...: the product as the mode says, bounded, without a terminal.
fb() {
	as "$CALLER" timeout -k 5 300 "$FB_BIN/fallbackmx" "$@" </dev/null
}

# fb_sync [OPTIONS...]: this test's source into this test's Maildir.
fb_sync() {
	fb sync --state-dir "$STATE" "$@" "file://$SRC/" "$MD"
}

# expect CODE COMMAND...: run with stdout in $output, stderr in $stderr, and
# show both when the exit code is another one.
expect() {
	local code=$1
	shift
	run --separate-stderr "$@"
	if [ "$status" != "$code" ]; then
		echo "$*: exit $status, expected $code"
		echo "stdout: $output"
		echo "stderr: $stderr"
		return 1
	fi
}

silent() { # the last run wrote nothing
	[ -z "$output" ] && [ -z "$stderr" ] && return
	echo "not silent; stdout: $output"
	echo "stderr: $stderr"
	return 1
}

says() { # TEXT: stderr of the last run holds it
	[[ "$stderr" == *"$1"* ]] && return
	echo "stderr lacks '$1': $stderr"
	return 1
}

same() { # A B: equal strings
	[ "$1" = "$2" ] && return
	diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") || :
	return 1
}

# mail NAME [ID [RECIPIENT [ARRIVAL [BODY]]]]: an object in the source; its
# copy in $T/sent is what the Maildir is compared with.
mail() {
	mkdir -p "$T/sent/$(dirname -- "$1")" "$SRC/$(dirname -- "$1")"
	ses make "$T/sent/$1" "${@:2}"
	offer "$1"
}

mails() { # COUNT [FIRST [SIZE]]: numbered ones, ids as `ses id NUMBER` says
	mkdir "$T/more"
	ses many "$T/more" "$@"
	mkdir -p "$T/sent"
	cp -a "$T/more/." "$T/sent"
	cp -a "$T/more/." "$SRC"
	rm -r "$T/more"
	give "$ENGINE" "$SRC"
}

offer() { # NAME: from $T/sent into the source
	cp -a "$T/sent/$1" "$SRC/$1"
	give "$ENGINE" "$SRC"
}

delivered() { # the Maildir holds all that was sent, once, and rightly
	ses check "${1-$MD}" "${2-$T/sent}" ${3-}
}

count() { # DIRECTORY: files in it
	find "$1" -type f | wc -l
}

number() { # KEY JSON
	"$FB_PYTHON" -c 'import json, sys
print(json.loads(sys.argv[2])[sys.argv[1]])' "$@"
}

counted() { # KEY=N...: the JSON in $output says so
	local pair
	for pair; do
		same "${pair%=*}=$(number "${pair%=*}" "$output")" "$pair"
	done
}

wait_for() { # COMMAND...: until it holds, for a minute
	local end=$((SECONDS + 60))
	while [ $SECONDS -le $end ]; do
		"$@" && return
		sleep 0.01
	done
	echo "waited in vain: $*"
	return 1
}

background() { # COMMAND...: its pid in $BG; stopped at teardown
	"$@" </dev/null >"$T/bg.out" 2>"$T/bg.err" 3>&- 4>&- &
	BG=$!
	PIDS="$PIDS $BG"
}

stop() { # what runs in the background, and all that it has started
	local p all
	all=$(family "$BG")
	kill -KILL $all 2>/dev/null || :	# it may have ended meanwhile
	wait "$BG" 2>/dev/null || :
	for p in $all; do	# a killed one may be in the middle of a call
		wait_for ended "$p"
	done
}

ended() { # PID
	! grep -q '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status" 2>/dev/null
}

family() { # PID: it and its descendants
	local children child tasks
	echo "$1"
	for tasks in /proc/"$1"/task/*/children; do
		read -r children 2>/dev/null <"$tasks" || :
		for child in ${children-}; do
			family "$child"
		done
	done 2>/dev/null
}

# named NAME PID: descendants of PID of that name; /proc keeps 15 bytes of it,
# and a process that names itself may keep fewer.
named() {
	local p comm
	for p in $(family "$2"); do
		read -r comm 2>/dev/null <"/proc/$p/comm" || continue
		[ "$comm" = "$1" ] || { [ ${#comm} -ge 14 ] &&
		    [ "$comm" = "${1:0:${#comm}}" ]; } || continue
		echo "$p"
	done 2>/dev/null
}

# configuration JSON: $CONFIG with this text; "@/" stands for "$T/".
configuration() {
	CONFIG=$T/fallbackmx.json
	printf '%s\n' "${1//@\//$T/}" >"$CONFIG"
	chmod 644 "$CONFIG"
}

big() { # [SIZE]: an object, newer than the others, that takes its time
	truncate -s "${1-200M}" "$SRC/big"
	give "$ENGINE" "$SRC/big"
}

# held: from now on a deliverer that has staged a large mail stands still
# before its flush, until released.
held() {
	[ -e "$FB_BIN/flushes.so" ] || skip "flushes.so is not built"
	mkdir -p "$T/bin"
	mkdir -p -m 777 "$T/flushes"
	cp "$FB_BIN/fallbackmx" "$T/bin"
	printf '#!/bin/sh\nLD_PRELOAD=%s FLUSHES=%s exec %s "$@"\n' \
	    "$FB_BIN/flushes.so" "$T/flushes" "$FB_BIN/fallbackmx-deliver" \
	    >"$T/bin/fallbackmx-deliver"
	chmod 755 "$T/bin" "$T/bin/fallbackmx-deliver"
	echo '200000 0 1000000' >"$T/flushes/plan"
	HELD_BIN=$FB_BIN FB_BIN=$T/bin
}

released() {
	rm "$T/flushes/plan"
	FB_BIN=$HELD_BIN
}
