#!/usr/bin/env bats
# fallbackmx sync from a bucket on a real RADOS Gateway: what the directory
# source promises, and what only S3 has. Run once started as root, once as a
# plain user (see run.sh).

load s3
load dovecot

setup_file() {
	server rgw --tls --sts
	dovecot_up
}
teardown_file() {
	server_down
	dovecot_down
}

@test "S3: every object delivered, bucket emptied, second run silent" {
	mails 5
	mkdir "$T/shapes"
	ses shapes "$T/shapes"
	rm "$T/shapes"/no-head*
	cp "$T/shapes"/* "$SRC" && cp "$T/shapes"/* "$T/sent"
	upload
	n=$(count "$T/sent")
	expect 0 fb_s3 --json
	counted listed="$n" imported="$n" deleted="$n"
	delivered
	bucket 0
	before=$(tree "$MD")
	expect 0 fb_s3
	silent
	same "$(tree "$MD")" "$before"
}

@test "S3: the whole bucket, prefixes of it, a slash that is missing" {
	mails 1
	upload
	ses make "$T/sent/top" "$(ses id 1)"
	s3 put "$B" top "$T/sent/top"
	ses make "$T/sent/inn" "$(ses id 2)"
	s3 put "$B" inn/x "$T/sent/inn"
	URL=s3://$B/in
	expect 0 fb_s3 --json
	counted listed=1 imported=1 deleted=1
	bucket 2
	URL=s3://$B
	expect 0 fb_s3 --json
	counted listed=2 imported=2 deleted=2
	delivered
	bucket 0
}

@test "S3: --keep, then again, then without" {
	mails 4
	upload
	expect 0 fb_s3 --keep --json
	counted imported=4 deleted=0
	delivered
	bucket 4
	expect 0 fb_s3 --keep --json
	counted imported=0 skipped=4 deleted=0
	expect 0 fb_s3 --json
	counted imported=0 skipped=4 deleted=4
	delivered
	bucket 0
}

@test "S3: --dry-run says what is new, done, duplicate, and does nothing" {
	mails 2
	cp "$T/sent/$(ses id 1)" "$SRC/again"
	upload
	before=$(tree "$T")
	expect 0 fb_s3 --dry-run
	same "${#lines[@]}" 3
	[[ "$output" == *"$(ses id 0) -> $MD [new]"* ]]
	same "$(tree "$T")" "$before"
	bucket 3
	expect 0 fb_s3 --keep
	mails 1 7
	upload
	before=$(tree "$T")
	expect 0 fb_s3 --dry-run
	[[ "$output" == *"$(ses id 0) -> $MD [done]"* ]]
	[[ "$output" == *"$(ses id 7) -> $MD [new]"* ]]
	same "$(tree "$T")" "$before"
}

@test "S3: --audit agrees, and says when it does not" {
	mails 3
	upload
	expect 0 fb_s3 --keep
	expect 0 fb_s3 --audit
	silent
	expect 0 fb_s3
	expect 0 fb_s3 --audit
	set -- "$MD"/new/*
	printf x | dd of="$2" bs=1 seek=700 conv=notrunc status=none
	expect 65 fb_s3 --audit
	says "${2##*/}"
}

@test "S3: two keys, one SES id: delivered once, both deleted" {
	mails 2
	cp "$SRC/$(ses id 0)" "$SRC/zz-again"
	upload
	expect 0 fb_s3 --json
	counted listed=3 imported=2 duplicate=1 deleted=3
	delivered
	bucket 0
}

@test "S3: odd keys: right object read, right one deleted, no other (F25)" {
	n=$("$FB_PYTHON" "$FB_HERE/s3keys.py" "$B" "$T/sent")
	before=$(cd "$T" && ls -A)
	expect 0 fb_s3 --dry-run
	same "${#lines[@]}" "$n"
	! printf '%s' "$output" | tr -d '\n' | grep -q '[[:cntrl:]]'
	expect 0 fb_s3 --json
	counted listed="$n" imported="$n" deleted="$n"
	delivered
	same "$(s3 keys "$B" | tr '\n' ' ')" \
	    "'100%' 'b' 'in' 'inx' 'lead' 'pctA' 'x' "
	same "$(cd "$T" && ls -A)" "$before"
}

@test "S3: an object that is put again is a mail of its own" {
	mails 1
	upload
	expect 0 fb_s3 --keep
	ses make "$T/sent/other" "$(ses id 5)"
	s3 put "$B" "in/$(ses id 0)" "$T/sent/other"
	expect 0 fb_s3 --json
	counted imported=1 deleted=1
	delivered
	bucket 0
}

@test "S3: left alone: empty, folder markers, SES's note (F26)" {
	mails 1
	upload
	ses make "$T/note"
	for key in in/ in/sub/ in/empty in/alice/; do
		s3 put "$B" "$key" -
	done
	s3 put "$B" in/AMAZON_SES_SETUP_NOTIFICATION "$T/note"
	expect 0 fb_s3 --json
	counted imported=1 deleted=1
	delivered
	bucket 5
	expect 0 fb_s3
	silent
	bucket 5
}

@test "S3: eight runs at once deliver every mail once" {
	mails 60
	upload
	for n in $(seq 8); do
		fb_s3 >"$T/out.$n" 2>&1 3>&- &
		echo $! >>"$T/pids"
	done
	for p in $(cat "$T/pids"); do
		wait "$p" || echo "exit $?" >>"$T/out.codes"
	done
	[ ! -e "$T/out.codes" ] || { cat "$T"/out.*; return 1; }
	expect 0 fb_s3
	delivered
	bucket 0
}

@test "S3: killed in the middle again and again: every mail once" {
	mails 150
	upload
	for n in 1 2 3 4 5 6; do
		background fb_s3
		sleep "0.$((n * 7 % 10))$n"
		stop
	done
	expect 0 fb_s3
	delivered
	bucket 0
}

@test "S3: 2500 objects, three pages" {
	s3 numbered "$B" in/ 2500
	expect 0 fb_s3 --json --connections 32
	counted listed=2500 imported=2500 deleted=2500
	ses check-many "$MD" 2500
	bucket 0
}

@test "S3: versions: the live one delivered, exactly that one deleted (F18)" {
	s3 versioning "$B" Enabled
	printf 'Subject: old\r\n\r\nold\r\n' >"$T/old"
	mails 2
	s3 put "$B" "in/$(ses id 0)" "$T/old"
	s3 put "$B" in/marked "$T/old"
	s3 delete "$B" in/marked
	upload
	expect 0 fb_s3 --json
	counted listed=2 imported=2 deleted=2
	delivered
	# No delete marker of ours; the older version has come up again.
	same "$(s3 versions "$B")" "'in/$(ses id 0)' live
'in/marked' marker
'in/marked' old"
}

@test "S3: versions suspended: no delete marker, nothing of a probe (F18)" {
	s3 versioning "$B" Enabled
	ses make "$T/old" "$(ses id 8)"
	s3 put "$B" "in/$(ses id 0)" "$T/old"
	s3 versioning "$B" Suspended
	mails 3
	upload
	expect 0 fb_s3 --json
	counted listed=3 imported=3 deleted=3
	delivered
	# Only the older version, which has come up again.
	same "$(s3 versions "$B")" "'in/$(ses id 0)' live"
	cp -a "$T/old" "$T/sent/old"
	expect 0 fb_s3 --json
	counted listed=1 imported=1 deleted=1
	delivered
	same "$(s3 versions "$B")" ""
	expect 0 fb_s3
	silent
}

@test "S3: 300 objects where If-Match is ignored: all looked at, all deleted" {
	s3 numbered "$B" in/ 300
	s3 put "$B" inx -
	expect 0 fb_s3 --json
	says "does not honour If-Match"
	counted listed=300 imported=300 deleted=300
	ses check-many "$MD" 300
	same "$(s3 keys "$B")" "'inx'"
	expect 0 fb_s3
	silent
}

@test "S3: who may delete below in/ only: all deleted" {
	mails 3
	upload
	printf '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
	    "Principal": "*", "Action": "s3:DeleteObject",
	    "Resource": "arn:aws:s3:::%s"}]}' "$B" >"$T/policy"
	s3 policy "$B" "$T/policy"
	expect 0 fb_s3 --json
	counted imported=3 deleted=3
	delivered
	bucket 0
}

@test "S3: keys with &, < and control bytes: the right ones deleted" {
	n=$("$FB_PYTHON" "$FB_HERE/s3keys.py" "$B" "$T/sent" control)
	expect 0 fb_s3 --json
	counted listed="$n" imported="$n" deleted="$n"
	delivered
	same "$(s3 keys "$B" | tr '\n' ' ')" \
	    "'100%' 'b' 'in' 'inx' 'lead' 'pctA' 'x' "
}

@test "S3: DELETE denied by policy: once, named, not read again (F17)" {
	mails 2
	upload
	printf '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
	    "Principal": "*", "Action": "s3:DeleteObject",
	    "Resource": "arn:aws:s3:::%s/*"}]}' "$B" >"$T/policy"
	s3 policy "$B" "$T/policy"
	run --separate-stderr fb_s3 --json
	[ "$status" = 75 ] || [ "$status" = 77 ]
	counted imported=2 deleted=0
	says s3:DeleteObject
	delivered
	run --separate-stderr fb_s3 --json
	[ "$status" = 75 ] || [ "$status" = 77 ]
	counted imported=0 deleted=0 bytes=0
	delivered
	bucket 2
	s3 policy "$B" -
	expect 0 fb_s3 --json
	counted imported=0 deleted=2
	delivered
}

@test "S3: GET denied for one object: named, the others delivered" {
	mails 3
	upload
	printf '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
	    "Principal": "*", "Action": "s3:GetObject",
	    "Resource": "arn:aws:s3:::%s/in/%s"}]}' "$B" "$(ses id 1)" \
	    >"$T/policy"
	s3 policy "$B" "$T/policy"
	run --separate-stderr fb_s3 --json
	[ "$status" = 75 ] || [ "$status" = 77 ]
	counted imported=2 deleted=2
	says "$(ses id 1)"
	says s3:GetObject
	s3 policy "$B" -
	expect 0 fb_s3
	delivered
}

@test "S3: TLS with the own CA works, without it is refused, with a word" {
	mails 2
	upload
	S3_ENDPOINT=$TLS
	run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	says certificate
	[ ! -d "$MD/new" ] || same "$(count "$MD/new")" 0
	bucket_tls() { S3_CA=$CA S3_TLS_ENDPOINT=$TLS s3 count "$B"; }
	same "$(bucket_tls)" 2
	# CA and keys lie where only their owner can read
	cp "$CA" "$T/ca.crt"
	chmod 644 "$T/ca.crt"
	expect 0 fb_s3 --ca-bundle "$T/ca.crt" --json
	counted imported=2 deleted=2
	delivered
	same "$(bucket_tls)" 0
	# the CA by the environment, the name of another host
	mails 1 5
	S3_CA=$CA S3_TLS_ENDPOINT=$TLS upload
	AWS_CA_BUNDLE=$T/ca.crt expect 0 fb_s3
	delivered
	S3_ENDPOINT=${TLS/127.0.0.1/ip6-localhost.invalid}
	AWS_CA_BUNDLE=$T/ca.crt run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	[ -n "$stderr" ]
}

@test "S3: the bucket in the host name (addressing style virtual)" {
	mails 2
	upload
	port=${S3_ENDPOINT##*:}
	configuration "{\"state_dir\": \"$STATE\", \"sources\": [{
	    \"url\": \"$URL\", \"aws\": {\"addressing_style\": \"virtual\",
	    \"endpoint_url\": \"http://s3.localhost:$port\"},
	    \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"$MD\"}]}]}"
	expect 0 fb sync --config "$CONFIG"
	delivered
	bucket 0
}

@test "S3: session tokens of STS: right, missing, altered" {
	mails 2
	upload
	s3 role "$ROLE" >"$T/role"
	chmod 600 "$T/role"
	set -a
	. "$T/role"
	set +a
	token=$AWS_SESSION_TOKEN
	unset AWS_SESSION_TOKEN
	run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	[ -n "$stderr" ]
	export AWS_SESSION_TOKEN=${token:0:40}xx${token:42}
	run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	[[ "$stderr" != *"${token:50:40}"* ]]
	bucket 2
	export AWS_SESSION_TOKEN=$token
	expect 0 fb_s3 --json
	counted imported=2 deleted=2
	delivered
}

@test "S3: wrong secret, unknown key, no key: named, and never shown" {
	mails 1
	upload
	secret=$AWS_SECRET_ACCESS_KEY
	export AWS_SECRET_ACCESS_KEY=${secret/k/K}x
	run --separate-stderr fb_s3
	# RADOS Gateway says AccessDenied to all of these, AWS tells them apart.
	same "$status" 77
	[[ "$stderr" =~ SignatureDoesNotMatch|AccessDenied ]]
	[[ "$stderr" =~ credentials|"secret key" ]]
	[[ "$stderr" != *"$AWS_SECRET_ACCESS_KEY"* ]]
	export AWS_SECRET_ACCESS_KEY=$secret AWS_ACCESS_KEY_ID=NOSUCHKEY00000000000
	run --separate-stderr fb_s3
	same "$status" 77
	[[ "$stderr" =~ InvalidAccessKeyId|AccessDenied ]]
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	says credentials
	bucket 1
	[ ! -d "$MD/new" ] || same "$(count "$MD/new")" 0
}

@test "S3: no such bucket, nobody there, no such host, no server of S3" {
	URL=s3://no-such-bucket-here/in/
	run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	says no-such-bucket-here
	says NoSuchBucket
	export AWS_MAX_ATTEMPTS=2
	URL=s3://$B/in/
	right=$S3_ENDPOINT
	for S3_ENDPOINT in http://127.0.0.1:1 https://nobody.invalid; do
		run --separate-stderr fb_s3
		[ "$status" -ge 65 ]
		says "${S3_ENDPOINT#*//}"
	done
	S3_ENDPOINT=https://${right#*//}
	run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	[ -n "$stderr" ]
}

@test "S3: plain HTTP to another host is refused before anything is sent" {
	S3_ENDPOINT=http://192.0.2.1:9
	run --separate-stderr fb_s3
	same "$status" 64
	says https
}

@test "S3: keys from a file; one that others may read is refused" {
	mails 1
	upload
	printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
	    "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$T/key"
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	chmod 600 "$T/key"
	give "$CALLER" "$T/key"
	configuration "{\"state_dir\": \"$STATE\", \"sources\": [{
	    \"url\": \"$URL\", \"aws\": {\"endpoint_url\": \"$S3_ENDPOINT\",
	    \"key_file\": \"$T/key\"},
	    \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"$MD\"}]}]}"
	chmod 644 "$T/key"
	run --separate-stderr fb sync --config "$CONFIG"
	[ "$status" -ge 65 ]
	says chmod
	bucket 1
	chmod 600 "$T/key"
	expect 0 fb sync --config "$CONFIG"
	delivered
	bucket 0
}

@test "S3: a mail of 40 MB" {
	"$FB_PYTHON" - "$FB_HERE" "$T/sent/big" <<-'END'
	import sys
	sys.path.insert(0, sys.argv[1])
	import ses
	ses.write(sys.argv[2], ses.message(ses.ses_id(0), body='x' * 998 +
	                                   '\r\n') * 60000)
	END
	cp "$T/sent/big" "$SRC"
	upload
	expect 0 fb_s3
	delivered
	bucket 0
}

@test "S3: Dovecot reads what was imported, also what came between" {
	need_dovecot
	mails 20
	upload
	expect 0 fb_s3
	imap check "$T/sent"
	mails 20 50
	upload
	expect 0 fb_s3 --connections 3
	imap check "$T/sent"
	same "$(imap count)" 40
	content
}
