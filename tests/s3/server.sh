# shellcheck shell=bash disable=SC2034
#
# What rgw.sh and swift.sh share. They set dir, the place of all files, and
# define start(), stop(), pids(): the processes, those that use others first.

LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
patience=${S3_PATIENCE:-240}	# seconds for all of a start

# Of user test, everywhere.
access=FALLBACKMXTESTKEY001
secret=kp9Xb+0Yd/3mVQ7wTnR5sEJc2LhGuA8fzBiqDoW4

die() {
	echo "cannot start ${0##*/}: $1" >&2
	exit 1
}

need() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || {
			echo "skipped: $program is not installed" >&2
			exit 77
		}
	done
}

alive() { # PID
	grep -q '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status" 2>/dev/null
}

# Nothing in it is worth a farewell, and an OSD would first write its memory to
# the disk.
stop() {
	local pid all end=$((SECONDS + 10))
	all=$(pids)
	for pid in $all; do
		kill -KILL "$pid" 2>/dev/null
	done
	for pid in $all; do
		while alive "$pid" && [ $SECONDS -lt $end ]; do sleep 0.02; done
	done
}

# step COMMAND...: within what is left of the patience, logged.
step() {
	local left=$((patience - SECONDS))
	[ $left -gt 0 ] || return 1
	echo "+ $*" >>"$dir/log/start"
	timeout -k 2 "$left" "$@" </dev/null >>"$dir/log/start" 2>&1 3>&- 4>&-
}

# Below the range that the kernel gives to clients, who would take one.
free_ports() { # COUNT
	python3 - "$1" <<-'END'
	import random, socket, sys
	held = []
	while len(held) < int(sys.argv[1]):
	    s = socket.socket()
	    try:
	        s.bind(("127.0.0.1", random.randrange(10000, 32000)))
	        held.append(s)
	    except OSError:
	        s.close()
	print(*(s.getsockname()[1] for s in held))
	END
}

# answers PORT PID: HTTP, while the process lives.
answers() {
	python3 - "$1" "$((patience - SECONDS))" "$2" <<-'END'
	import http.client, os, sys, time
	end = time.monotonic() + max(1, float(sys.argv[2]))
	while time.monotonic() < end and os.path.exists("/proc/" + sys.argv[3]):
	    try:
	        c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]),
	                                       timeout=5)
	        c.request("GET", "/")
	        if c.getresponse().status < 500:
	            sys.exit(0)
	    except OSError:
	        time.sleep(0.02)
	sys.exit(1)
	END
}

# begin FUNCTION: runs it until it works; it chooses its own ports, and
# somebody else may take one of them meanwhile.
begin() {
	local tries=3
	mkdir -p "$dir" && chmod 700 "$dir" && dir=$(cd "$dir" && pwd -P) ||
	    exit 1
	[ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
	trap 'stop; exit 1' INT TERM HUP
	while mkdir "$dir/log"; do
		if "$1"; then
			environment >"$dir/env"
			return 0
		fi
		stop
		tries=$((tries - 1))
		if [ $tries = 0 ] ||
		    ! grep -qs 'ddress already in use' "$dir"/log/*; then
			break
		fi
		rm -rf "${dir:?}"/*
	done
	tail -n 15 "$dir"/log/* >&2
	die "see above; it had $patience s (S3_PATIENCE)"
}

# main VERB DIR [OPTION...]: of the script that sources this.
main() {
	local verb=${1-} option
	dir=${2-} tls=no sts=no
	[ -n "$dir" ] || {
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 64
	}
	shift 2
	for option; do
		case $option in
		--tls) tls=yes ;;
		--sts) sts=yes ;;
		*) die "unknown option $option" ;;
		esac
	done
	case $verb in
	start) start ;;
	stop) [ ! -d "$dir" ] || { dir=$(cd "$dir" && pwd -P) && stop; } ;;
	*) die "unknown verb $verb" ;;
	esac
}
