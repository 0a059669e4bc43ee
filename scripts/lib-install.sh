# shellcheck shell=bash disable=SC2034
#
# Sourced by scripts/check and scripts/demo: puts the packages in place that
# they need. Debian 12, 13, Ubuntu 24.04 and what is like them.

packages_build="gcc libc6-dev make autoconf automake pkg-config binutils
	libssl-dev libjansson-dev libsqlite3-dev libcurl4-openssl-dev
	libexpat1-dev libgmime-3.0-dev libpcre2-dev
	libmilter-dev libzstd-dev"
packages_demo="util-linux procps postfix"
packages_test="$packages_build clang libcmocka-dev bats python3 git sqlite3
	strace dovecot-core dovecot-imapd e2fsprogs xfsprogs mount util-linux
	procps systemd openssl ceph-mon ceph-osd ceph-common radosgw
	python3-botocore python3-flufl.bounce
	golang-github-jhillyerd-enmime-dev postfix opendkim opendmarc
	libsasl2-modules
	$(apt-cache depends libpython3-stdlib 2>/dev/null |
	sed -n 's/.* \(libpython3[0-9.]*\)-stdlib$/\1-testsuite/p')"
# What scripts/check does without: scripts/check -p bench, -p long.
packages_bench="$packages_test rclone s3cmd awscli zstd"
packages_long="$packages_test swift-proxy swift-account swift-container
	swift-object memcached"

# Runs its words as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "cannot run $1 as root: start this as root or install sudo" >&2
		return 1
	fi
}

packages_missing() {
	for p in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) in
		installed) ;;
		*) echo "$p" ;;
		esac
	done
}

# A package that brings a server starts it at once; this file forbids it while
# we install. One that is there already is the administrator's and stays.
policy=/usr/sbin/policy-rc.d
policy_is_ours=no

services_forbid() {
	if [ ! -e $policy ]; then
		policy_is_ours=yes
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null &&
			as_root chmod 755 $policy
	fi
}

services_allow() {
	if [ $policy_is_ours = yes ]; then
		as_root rm -f $policy
		policy_is_ours=no
	fi
}

# install_packages LOG PACKAGE...
install_packages() {
	log=$1
	shift
	command -v apt-get >/dev/null 2>&1 || {
		echo "there is no apt-get here; these must be there: $*" >&2
		return 0
	}
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086
	echo "installing:" $missing
	trap 'services_allow' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	services_forbid
	# Postfix asks what it shall be; nothing, until the administrator says.
	case " $missing " in *[[:space:]]postfix[[:space:]]*)
		echo postfix postfix/main_mailer_type select No configuration |
			as_root debconf-set-selections ;;
	esac
	# shellcheck disable=SC2086
	if as_root apt-get -q update >"$log" 2>&1 &&
	    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
	    apt-get -q -y --no-install-recommends \
	    -o Dpkg::Options::=--force-confold install $missing \
	    >>"$log" 2>&1 </dev/null; then
		installed=yes
	else
		installed=no
	fi
	services_allow
	trap - EXIT INT TERM HUP
	[ $installed = yes ] && return 0
	echo "cannot install packages: the end of $log says" >&2
	tail -n 20 "$log" >&2
	return 1
}
