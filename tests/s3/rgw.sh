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
here=$(cd "$(dirname "$0")" && pwd)
. "$here/server.sh"

pids() {
	local name pid
	# the gateway first
	for name in client.rgw.a osd.0 mon.a; do
		pid=
		read -r pid 2>/dev/null <"$dir/run/$name.pid"
		# Not a later process that got the same number.
		[ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
		    grep -qxF "$dir/ceph.conf" && echo "$pid"
	done
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
	rgw policy reject invalid principals = false
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
	answers "$plain" "$(cat "$dir/run/client.rgw.a.pid")"
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

# Several at once may choose the same ports; see begin.
gateway() {
	local ssl=
	mkdir -p "$dir"/{mon,osd,rgw,run,tmp}
	read -r mon1 mon2 plain secure <<<"$(free_ports 4)"
	[ $tls = no ] || ssl=" ssl_endpoint=127.0.0.1:$secure\
 ssl_certificate=$dir/tls.crt ssl_private_key=$dir/tls.key"
	configuration "$ssl" >"$dir/ceph.conf"
	{ [ $tls = no ] || step "$here/ca.sh" "$dir"; } && daemons
}

start() {
	need ceph-mon ceph-osd ceph radosgw radosgw-admin openssl
	begin gateway
}

main "$@"
