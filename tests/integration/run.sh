#!/bin/bash
# run.sh [-b BUILDDIR] [SUITE...] - runs suites of tests/integration on the
# programs of BUILDDIR (default: here), prints TAP and one last line:
# N passed, N failed, N skipped. Exit code: 0, 1, or 77 without bats.
#
# FB_BATS: more options for bats, like "--timing -f REGEX".
#
# As root everything happens in a mount namespace of its own, with a passwd
# database of test users and a /dev/log that we read: nothing stays behind.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$PWD
while getopts b: option; do
	case $option in
	b) build=$(cd "$OPTARG" && pwd) || exit 64 ;;
	*) exit 64 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- basics trouble return config control routing mail archive prune show dovecot \
	links priv s3 check check-faults check-postfix check-reach packaging forreal

if ! command -v bats >/dev/null; then
	echo "0 passed, 0 failed, 0 skipped (bats is not installed)"
	exit 77
fi
if [ "$(id -u)" = 0 ] && [ -z "${FB_NAMESPACE-}" ]; then
	if ! unshare -m --propagation private true 2>/dev/null; then
		echo "skipped: root cannot have a mount namespace here: start" \
		    "it as another user"
		echo "0 passed, 0 failed, 1 skipped"
		exit 77
	fi
	FB_NAMESPACE=1 exec unshare -m --propagation private \
	    "$here/${0##*/}" -b "$build" "$@"
fi

export FB_BUILD=$build FB_TOP=${here%/tests/integration}
export FB_ROOT= FB_SYSLOG= FB_PYTHON=/usr/bin/python3
[ -x $FB_PYTHON ] || FB_PYTHON=$(command -v python3)
export PYTHONDONTWRITEBYTECODE=1
FB_WORLD=$(mktemp -d /tmp/fallbackmx-test.XXXXXX) || exit 1
export FB_WORLD FB_BIN=$FB_WORLD/bin FB_HERE=$FB_WORLD/tools
chmod 755 "$FB_WORLD"
listener=
finish() {
	[ -z "$listener" ] || kill "$listener" 2>/dev/null
	rm -rf --one-file-system "$FB_WORLD"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

$FB_PYTHON "$here/ses.py" ids 2000 >"$FB_WORLD/ids" || exit 1

# Copies: both trees may lie where the owners of mailboxes cannot go.
mkdir "$FB_BIN" "$FB_HERE"
cp "$build/fallbackmx" "$build/fallbackmx-deliver" \
    "$build/fallbackmx-milter" "$FB_BIN/" || exit 1
cp "$here"/*.py "$FB_HERE/" || exit 1
for shim in "$build"/tests/integration/*.so "$build"/tests/milter/flushes.so; do
	[ ! -e "$shim" ] || cp "$shim" "$FB_BIN/"
done
chmod 755 "$FB_HERE" "$FB_BIN" "$FB_BIN"/* "$FB_HERE"/*

# Users who exist only here: the engine's, owners, and those nobody serves.
users() {
	local home=$FB_WORLD/home
	cat <<-END
	fallbackmx:x:61000:61000::/nonexistent:/usr/sbin/nologin
	fallbackmx-milter:x:61008:61008::/nonexistent:/usr/sbin/nologin
	alice:x:61001:61001::$home/alice:/bin/sh
	bob:x:61002:61002::$home/bob:/bin/sh
	carol:x:61003:61003::$home/carol:/bin/sh
	dave.o-k_1:x:61004:61004::$home/dave.o-k_1:/bin/sh
	homeless:x:61005:61005::$home/missing:/bin/sh
	locked:!:61006:61006::$home/locked:/usr/sbin/nologin
	expired:x:61007:61007::$home/expired:/bin/sh
	low:x:50:61050::$home/low:/bin/sh
	middle:x:500:61051::$home/middle:/bin/sh
	toor:x:0:0::$home/toor:/bin/sh
	END
}

world() {
	local n
	users >"$FB_WORLD/users"
	{ grep -vE '^(fallbackmx(-milter)?|alice|bob|carol|dave.o-k_1|homeless):' \
	    /etc/passwd | grep -vE '^(locked|expired|low|middle|toor):'
	  cat "$FB_WORLD/users"; } >"$FB_WORLD/passwd"
	{ grep -vE '^(fallbackmx(-milter)?|alice|bob|carol|staff2):' /etc/group
	  awk -F: '$4 > 1000 { print $1 ":x:" $4 ":" }' "$FB_WORLD/users"
	  echo 'staff2:x:61090:alice'; } >"$FB_WORLD/group"
	{ cat /etc/shadow
	  echo 'locked:!:19000:0:99999:7:::'
	  echo 'expired:*:19000:0:99999:7::19000:'; } >"$FB_WORLD/shadow"
	chmod 600 "$FB_WORLD/shadow"
	for n in passwd group shadow; do
		mount --bind "$FB_WORLD/$n" "/etc/$n" || return 1
	done

	mkdir "$FB_WORLD/dev" &&
	mount -t tmpfs -o mode=755 none "$FB_WORLD/dev" || return 1
	for n in null zero full random urandom tty; do
		: >"$FB_WORLD/dev/$n" &&
		mount --bind "/dev/$n" "$FB_WORLD/dev/$n" || return 1
	done
	mkdir "$FB_WORLD/dev/shm" "$FB_WORLD/dev/pts" &&
	mount --rbind /dev/shm "$FB_WORLD/dev/shm" &&
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 none \
	    "$FB_WORLD/dev/pts" || return 1
	ln -s pts/ptmx "$FB_WORLD/dev/ptmx"
	ln -s /proc/self/fd "$FB_WORLD/dev/fd"
	for n in 0:stdin 1:stdout 2:stderr; do
		ln -s "/proc/self/fd/${n%:*}" "$FB_WORLD/dev/${n#*:}"
	done
	mount --move "$FB_WORLD/dev" /dev || return 1

	FB_SYSLOG=$FB_WORLD/syslog
	$FB_PYTHON "$here/syslogd.py" /dev/log "$FB_SYSLOG" \
	    </dev/null >/dev/null 2>"$FB_WORLD/syslogd" &
	listener=$!
	for n in $(seq 3000); do
		[ -S /dev/log ] && break
		sleep 0.02
	done
	[ -S /dev/log ]
}

if [ -n "${FB_NAMESPACE-}" ]; then
	world || { echo "Bail out! cannot prepare the test world"; exit 1; }
	FB_ROOT=1
fi

passed=0 failed=0 skipped=0
suite() { # NAME: runs one file, adds to the counters
	local log=$FB_WORLD/tap rc planned seen
	bats --tap ${FB_BATS-} "$here/${1%.bats}.bats" </dev/null | tee "$log"
	rc=${PIPESTATUS[0]}
	planned=$(sed -n 's/^1\.\.//p' "$log")
	seen=$(grep -cE '^(not )?ok ' "$log")
	skipped=$((skipped + $(grep -cE '^ok .* # skip' "$log")))
	passed=$((passed + $(grep -E '^ok ' "$log" | grep -vc ' # skip')))
	failed=$((failed + $(grep -c '^not ok ' "$log")))
	if [ "$seen" != "${planned:-none}" ]; then
		echo "not ok - $1: $seen results, planned ${planned:-none}"
		failed=$((failed + 1))
	elif [ "$rc" != 0 ] && ! grep -q '^not ok ' "$log"; then
		echo "not ok - $1: bats ended with $rc"
		failed=$((failed + 1))
	fi
}

for s; do
	FB_MODE=plain
	[ -z "$FB_ROOT" ] || FB_MODE=root
	export FB_MODE
	echo "# ${s%.bats}, started as ${FB_MODE/plain/a plain user}"
	suite "$s"
	# What a plain user gets is another program flow: no spawner.
	case ${s%.bats} in
	basics | trouble | return | dovecot | s3 | check | check-faults | \
	check-postfix) if [ -n "$FB_ROOT" ]; then
			FB_MODE=plain
			echo "# ${s%.bats}, started as a plain user"
			suite "$s"
		fi ;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
