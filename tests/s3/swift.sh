#!/bin/bash
# swift.sh - an OpenStack Swift with its S3 API, on loopback: a server that
# shares no line with Ceph, and honours If-Match of a DELETE.
#
#	swift.sh start DIR		DIR must not exist or be empty
#	swift.sh stop DIR		ends what start started, by pid
#
# start writes DIR/env as rgw.sh does. Exit code 77: a program is missing, or
# we are not root (Swift reads /etc/swift, so it gets a mount namespace with a
# directory of its own there). All files lie in DIR, which must be on a file
# system with user attributes. Start it into a file, never into a pipe.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/server.sh"

family() { # PID: its workers, then itself
	local child
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		family "$child"
	done
	echo "$1"
}

pids() {
	local pid name
	while read -r pid name; do
		# Not a later process that got the same number.
		tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
		    grep -qF "$name" && family "$pid"
	done 2>/dev/null <"$dir/pids"
}

space() { # COMMAND...: with $dir/etc in the place of /etc/swift
	# shellcheck disable=SC2016
	exec unshare -m -- /bin/sh -c '
	    mount --bind "$0/etc" /etc/swift && exec "$@"' "$dir" "$@"
}

common() { # PORT
	cat <<-END
	[DEFAULT]
	bind_ip = 127.0.0.1
	bind_port = $1
	user = $(id -un)
	swift_dir = $dir/etc
	devices = $dir/srv
	mount_check = false
	workers = 1
	log_address = /dev/null
	fallocate_reserve = 0
	END
}

storage() { # NAME PORT
	step swift-ring-builder "$1.builder" create 4 1 0 &&
	step swift-ring-builder "$1.builder" add "r1z1-127.0.0.1:$2/sd1" 1 &&
	step swift-ring-builder "$1.builder" rebalance || return 1
	{ common "$2"; cat <<-END; } >"$dir/etc/$1.conf"
	[pipeline:main]
	pipeline = $1-server
	[app:$1-server]
	use = egg:swift#$1
	END
}

proxy() {
	local filter
	common "$plain"
	cat <<-END
	[pipeline:main]
	pipeline = catch_errors gatekeeper cache listing_formats bulk s3api \
	    tempauth copy slo dlo versioned_writes symlink proxy-server
	[app:proxy-server]
	use = egg:swift#proxy
	account_autocreate = true
	[filter:s3api]
	use = egg:swift#s3api
	location = us-east-1
	[filter:tempauth]
	use = egg:swift#tempauth
	user64_$(printf %s test | base64 | tr -d =)_$(printf %s tester |
	    base64 | tr -d =) = $secret .admin
	[filter:cache]
	use = egg:swift#memcache
	memcache_servers = 127.0.0.1:$cache
	[filter:versioned_writes]
	use = egg:swift#versioned_writes
	allow_object_versioning = true
	END
	for filter in catch_errors gatekeeper listing_formats bulk copy \
	    symlink slo dlo; do
		printf '[filter:%s]\nuse = egg:swift#%s\n' $filter $filter
	done
}

daemon() { # NAME COMMAND...
	local name=$1
	shift
	"$@" </dev/null >"$dir/log/$name" 2>&1 3>&- 4>&- &
	echo "$! $name" >>"$dir/pids"
}

servers() {
	local name
	mkdir -p "$dir/etc" "$dir/srv/sd1"
	read -r plain cache account container object <<<"$(free_ports 5)"
	printf '%s\n' '[swift-hash]' 'swift_hash_path_prefix = a' \
	    'swift_hash_path_suffix = b' '[storage-policy:0]' 'name = gold' \
	    'default = yes' >"$dir/etc/swift.conf"
	(space true) 2>>"$dir/log/start" || {
		echo "skipped: needs root, or the right to mount" >&2
		exit 77
	}
	cd "$dir/etc" || return 1
	: >"$dir/pids"
	storage account "$account" && storage container "$container" &&
	storage object "$object" || return 1
	proxy >proxy.conf
	daemon memcached memcached -l 127.0.0.1 -p "$cache" -u nobody
	for name in account container object proxy; do
		daemon "swift-$name-server" space "swift-$name-server" \
		    "$dir/etc/$name.conf"
	done
	# The proxy answers first, and 503 as long as it is alone.
	for name in "$account" "$container" "$object" "$plain"; do
		answers "$name" $! || return 1
	done
}

environment() {
	echo "S3_ENDPOINT=http://127.0.0.1:$plain"
	echo "S3_REGION=us-east-1"
	echo "S3_ACCESS_KEY=test:tester"
	echo "S3_SECRET_KEY=$secret"
}

start() {
	need memcached swift-ring-builder swift-account-server \
	    swift-container-server swift-object-server swift-proxy-server
	begin servers
}

main "$@"
