#!/bin/bash
# rgw.sh - a Ceph RADOS Gateway for tests: one monitor, one OSD in memory, the
# gateway, on loopback.
#
#	rgw.sh start DIR [--tls] [--sts]	DIR must not exist or be empty
#	rgw.sh stop DIR			ends what start started, by pid
#
# start writes DIR/env, lines for a shell: S3_ENDPOINT S3_REGION S3_ACCESS_KEY
# S3_SECRET_KEY (user test); with --tls also S3_TLS_ENDPOINT S3_CA, with --sts
# S3_ROLE, which user test may assume. Exit code 77: a program is missing.
# Hosts that it takes for itself: 127.0.0.1 and s3.localhost; BUCKET.s3.localhost
# is a bucket.
#
# As root or as anyone; several at once. All files lie in DIR. Start it into a
# file, never into a pipe: the servers would keep that open.
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
patience=${RGW_PATIENCE:-60}	# seconds for all of a start

access=FALLBACKMXTESTKEY001
secret=kp9Xb+0Yd/3mVQ7wTnR5sEJc2LhGuA8fzBiqDoW4

die() {
	echo "cannot start a RADOS Gateway: $1" >&2
	exit 1
}

alive() { # PID
	grep -q '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status" 2>/dev/null
}

pids() { # the gateway first
	local name pid
	for name in client.rgw.a osd.0 mon.a; do
		pid=
		read -r pid 2>/dev/null <"$dir/run/$name.pid"
		# Not a later process that got the same number.
		[ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
		    grep -qxF "$dir/ceph.conf" && echo "$pid"
	done
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

# Without authentication ceph refuses the secure mode, which is its default:
# the gateway would wait for ever. Without tcp_nodelay each small answer on a
# kept connection comes 40 ms late (Nagle and delayed ACK).
configuration() {
	cat <<-END
	[global]
	fsid = $(cat /proc/sys/kernel/random/uuid)
	mon host = [v2:127.0.0.1:$mon2,v1:127.0.0.1:$mon1]
	auth cluster required = none
	auth service required = none
	auth client required = none
	ms mon client mode = crc
	ms cluster mode = crc
	ms service mode = crc
	ms client mode = crc
	ms bind ipv6 = false
	public addr = 127.0.0.1
	cluster addr = 127.0.0.1
	run dir = $dir/run
	pid file = $dir/run/\$name.pid
	admin socket =
	log file = $dir/log/\$name
	mon cluster log file = $dir/log/cluster
	crash dir = $dir/tmp
	log to stderr = false
	err to stderr = false
	osd pool default size = 1
	osd pool default min size = 1
	osd pool default pg num = 4
	osd pool default pgp num = 4
	osd pool default pg autoscale mode = off
	osd crush chooseleaf type = 0
	mon allow pool size one = true
	mon max pg per osd = 2000
	debug ms = 0/0
	debug mon = 0/0
	debug osd = 0/0
	debug paxos = 0/0
	debug rocksdb = 0/0
	debug rgw = 0/0
	[mon]
	mon data = $dir/mon
	paxos propose interval = 0.02
	paxos min wait = 0.01
	mon data avail crit = 1
	mon data avail warn = 2
	[osd]
	osd data = $dir/osd
	osd objectstore = memstore
	memstore device bytes = ${RGW_BYTES:-8589934592}
	osd class load list = *
	osd class default list = *
	osd max object name len = 2048
	[client.rgw.a]
	rgw frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:$plain$1
	rgw data = $dir/rgw
	rgw dns name = s3.localhost
	rgw s3 auth use sts = true
	rgw sts key = abcdefghijklmnop
	rgw enable usage log = false
	rgw dynamic resharding = false
	rgw run sync thread = false
	rgw thread pool size = 128
	rgw num rados handles = 1
	END
}

admin() {
	step radosgw-admin -c "$dir/ceph.conf" -n client.rgw.a "$@"
}

role() {
	admin role create --role-name=importer --assume-role-policy-doc='{
	"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
	"Principal": {"AWS": ["arn:aws:iam:::user/test"]},
	"Action": ["sts:AssumeRole"]}]}' &&
	admin role-policy put --role-name=importer --policy-name=all \
	    --policy-doc='{"Version": "2012-10-17", "Statement": [{
	"Effect": "Allow", "Action": ["s3:*"], "Resource": "arn:aws:s3:::*"}]}'
}

answers() {
	python3 - "$plain" "$((patience - SECONDS))" \
	    "$(cat "$dir/run/client.rgw.a.pid")" <<-'END'
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

daemons() {
	local id conf=(-c "$dir/ceph.conf")
	id=$(cat /proc/sys/kernel/random/uuid)
	step monmaptool --create --clobber --addv a \
	    "[v2:127.0.0.1:$mon2,v1:127.0.0.1:$mon1]" "$dir/monmap" \
	    --fsid "$(sed -n 's/^fsid = //p' "$dir/ceph.conf")" &&
	step ceph-mon "${conf[@]}" --mkfs -i a --monmap "$dir/monmap" &&
	step ceph-mon "${conf[@]}" -i a &&
	step ceph "${conf[@]}" osd new "$id" 0 &&
	# Another uuid than the monitor's and it stays "booting" for ever.
	step ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$id" &&
	step ceph-osd "${conf[@]}" -i 0 &&
	admin user create --uid=test --display-name=test \
	    --access-key=$access --secret-key=$secret --max-buckets=1000 &&
	{ [ $sts = no ] || role; } &&
	step radosgw "${conf[@]}" -n client.rgw.a &&
	answers
}

environment() {
	echo "S3_ENDPOINT=http://127.0.0.1:$plain"
	echo "S3_REGION=us-east-1"
	echo "S3_ACCESS_KEY=$access"
	echo "S3_SECRET_KEY=$secret"
	if [ $tls = yes ]; then
		echo "S3_TLS_ENDPOINT=https://127.0.0.1:$secure"
		echo "S3_CA=$dir/ca.crt"
	fi
	[ $sts = no ] || echo "S3_ROLE=arn:aws:iam:::role/importer"
}

start() {
	local tries=3 ssl=
	for program in ceph-mon ceph-osd ceph radosgw radosgw-admin openssl; do
		command -v $program >/dev/null || {
			echo "skipped: $program is not installed" >&2
			exit 77
		}
	done
	mkdir -p "$dir" && chmod 700 "$dir" && dir=$(cd "$dir" && pwd -P) || exit 1
	[ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
	trap 'stop; exit 1' INT TERM HUP
	while :; do
		mkdir -p "$dir"/{mon,osd,rgw,run,log,tmp}
		read -r mon1 mon2 plain secure <<<"$(free_ports 4)"
		[ $tls = no ] || ssl=" ssl_endpoint=127.0.0.1:$secure\
 ssl_certificate=$dir/tls.crt ssl_private_key=$dir/tls.key"
		configuration "$ssl" >"$dir/ceph.conf"
		if { [ $tls = no ] || step "$here/ca.sh" "$dir"; } && daemons; then
			environment >"$dir/env"
			return 0
		fi
		stop
		# Somebody else may have taken a port meanwhile.
		grep -qs 'ddress already in use' "$dir"/log/* &&
		    [ $((tries -= 1)) -gt 0 ] || break
		rm -rf "${dir:?}"/*
	done
	tail -n 15 "$dir"/log/* >&2
	die "see above; it had $patience s (RGW_PATIENCE)"
}

verb=${1-} dir=${2-} tls=no sts=no
[ -n "$dir" ] || {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$here/${0##*/}" >&2
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
