#!/usr/bin/env bats
# README.md, "For real": its own commands, one step after the other, from
# nothing to the first mail. The bucket, its policy and the importer's rights
# are those of the template on a RADOS Gateway; in the place of CloudFormation,
# SES and DNS stands amazon.py.

load helpers

setup_file() {
	export FORREAL=$FB_WORLD/forreal RGW=$FB_TOP/tests/s3/rgw.sh
	export CEPH_CONF=$FORREAL/rgw/ceph.conf
	[ -n "$FB_ROOT" ] || return 0
	mkdir -p "$FORREAL/bin" "$FORREAL/etc" "$FORREAL/var"
	ln -s "$FB_TOP/scripts" "$FORREAL/scripts"
	for home in alice bob; do
		install -d -m 700 -o $home -g $home "$FB_WORLD/home/$home"
	done
	"$RGW" start "$FORREAL/rgw" --tls >"$FORREAL/rgw.log" 2>&1 \
	    </dev/null 3>&- 4>&- || echo $? >"$FORREAL/rgw.failed"
	[ ! -e "$FORREAL/rgw.failed" ] || return 0
	# The engine is another user.
	cp "$FORREAL/rgw/ca.crt" "$FORREAL/ca.crt"
	chmod 644 "$FORREAL/ca.crt"
	programs
}

programs() {
	local name
	for name in aws swaks dig systemctl; do
		printf '#!/bin/sh\nexec "%s" "%s/amazon.py" %s "$@"\n' \
		    "$FB_PYTHON" "$FB_HERE" $name >"$FORREAL/bin/$name"
	done
	cat >"$FORREAL/bin/fallbackmx" <<-'END'
	#!/bin/bash
	more=(--config "$FORREAL/etc/fallbackmx.json")
	bucket=(--endpoint-url "$S3_TLS_ENDPOINT" --ca-bundle "$FORREAL/ca.crt")
	case $1 in
	check) more+=("${bucket[@]}") ;;
	sync) more+=("${bucket[@]}" --state-dir "$FORREAL/var/state") ;;
	esac
	exec "$FB_BIN/fallbackmx" "$@" "${more[@]}"
	END
	chmod 755 "$FORREAL/bin"/*
}

teardown_file() {
	[ ! -d "$FORREAL/rgw" ] || "$RGW" stop "$FORREAL/rgw"
	rm -rf "$FORREAL" "$FB_WORLD/home/alice" "$FB_WORLD/home/bob"
}

more_setup() {
	need_root
	if [ -e "$FORREAL/rgw.failed" ]; then
		[ "$(cat "$FORREAL/rgw.failed")" = 77 ] &&
		    skip "$(sed -n 's/^skipped: //p' "$FORREAL/rgw.log")"
		cat "$FORREAL/rgw.log"
		return 1
	fi
	set -a
	. "$FORREAL/rgw/env"
	set +a
	cd "$FORREAL"
}

need_buckets() {
	"$FB_BIN/fallbackmx" check --help >"$T/help" 2>&1 ||
		skip "this build has no sources that are buckets"
}

readme() { "$FB_PYTHON" "$FB_HERE/forreal.py" "$@"; }
amazon() { "$FB_PYTHON" "$FB_HERE/amazon.py" "$@"; }

# step N: its commands, as root's shell would run them; README says what one
# sees.
step() {
	readme commands "$1" >"$T/commands"
	PATH=$FORREAL/bin:$PATH timeout -k 5 300 \
	    bash -eu -o pipefail "$T/commands" >"$T/said" 2>&1 </dev/null || {
		echo "step $1 ended with $?:"
		cat "$T/said"
		return 1
	}
	readme shows "$1" "$T/said"
}

mails_of() { # USER: files in the Maildir
	find "$FB_WORLD/home/$1/Maildir" -path '*/new/*' -type f 2>/dev/null |
	    wc -l
}

objects() { "$FB_PYTHON" "$FB_TOP/tests/s3/s3.py" keys "$@"; }

bucket=fallbackmx-mailbucket-1a2b3c4d5e6f

@test "step 1: bucket and rules" {
	step 1
	same "$(objects $bucket)" "'in/alice/AMAZON_SES_SETUP_NOTIFICATION'
'in/bob/AMAZON_SES_SETUP_NOTIFICATION'
'in/postmaster/AMAZON_SES_SETUP_NOTIFICATION'"
}

@test "step 2: domain and DNS" {
	step 2
}

@test "step 3: keys, which only root can read and nobody saw" {
	step 3
	same "$(stat -c '%a %U' etc/fallbackmx.key)" "600 root"
	same "$(sed 's/ = ..*/=/' etc/fallbackmx.key)" "access_key_id=
secret_access_key="
	same "$(cat "$T/said")" ""
}

@test "the importer's policy: what it needs, and nothing else" {
	[ -s etc/fallbackmx.key ]
	amazon rights
}

@test "the AWS CLI knows the commands of the documents" {
	need aws
	[ -s fallbackmx-aws.yaml ]
	readme clouds >"$T/clouds"
	[ "$(wc -l <"$T/clouds")" -ge 8 ]
	# All is well with the words if nothing but the server is missing.
	AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_MAX_ATTEMPTS=1 \
	    HOME=$T "$FB_PYTHON" - "$T/clouds" <<-'END'
	import json, subprocess, sys
	for line in open(sys.argv[1]):
	    command = json.loads(line) + ['--endpoint-url', 'http://127.0.0.1:1']
	    if '--region' not in command:
	        command += ['--region', 'eu-west-1']
	    r = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60,
	                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	    said = r.stdout.decode('utf-8', 'replace')
	    assert 'Could not connect' in said, (command, said)
	END
}

@test "step 4: configuration" {
	need_buckets
	step 4
}

@test "step 5: check" {
	need_buckets
	before=$(objects $bucket)
	step 5
	! grep -F FAILED "$T/said"
	grep -q '^ok' "$T/said"
	same "$(objects $bucket)" "$before"
	# The secret is in nothing that was said.
	! grep -F "$(sed -n 's/^secret_access_key = //p' etc/fallbackmx.key)" \
	    "$T/said"
}

@test "step 6: the first import" {
	need_buckets
	step 6
	same "$(mails_of alice) $(mails_of bob)" "1 0"
	same "$(stat -c %U "$FB_WORLD"/home/alice/Maildir/new/*)" alice
	same "$(objects $bucket | grep -v SETUP_NOTIFICATION)" ""
}

@test "step 7: every five minutes, and silent" {
	need_buckets
	step 7
	expect 0 "$FORREAL/bin/fallbackmx" sync
	silent
	same "$(mails_of alice) $(mails_of bob)" "1 0"
}
