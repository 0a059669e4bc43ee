#!/usr/bin/env bats
# fallbackmx check on a bucket of a real RADOS Gateway: what is in order, what
# is not, and that nothing has changed after it. Run once started as root, once
# as a plain user (see run.sh).

load s3
load check

# Without them a run ends early.
WAY="ok:source ok:settings ok:credentials ok:server ok:clock"

setup_file() {
	server rgw --tls
}
teardown_file() {
	server_down
}

# check CODE [OPTION...]: of this test's bucket.
check() {
	local code=$1
	shift
	unset AWS_CA_BUNDLE
	expect "$code" fb check --endpoint-url "$S3_ENDPOINT" "$@" "$URL"
	[ -z "$stderr" ]
	[[ "$output" != *"$AWS_SECRET_ACCESS_KEY"* ]]
}

objects() {
	mails "${1-2}"
	upload
}

# deny ACTION RESOURCE [CONDITION]: for everybody.
deny() {
	printf '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
	    "Principal": "*", "Action": "%s",
	    "Resource": "arn:aws:s3:::%s"%s}]}' "$1" "$2" "${3-}" \
	    >"$T/policy"
	s3 policy "$B" "$T/policy"
}

@test "check: all is well, and nothing changes" {
	objects
	before=$(s3 versions "$B") tree=$(tree "$T")
	check 0
	# This gateway does not look at If-Match.
	lines_are $WAY ok:list ok:read ok:delete \
	    warning:conditional_delete ok:versioning ok:object_lock
	told "the bucket $B, keys that begin with in/"
	told "region us-east-1 (AWS_REGION)"
	told "(--endpoint-url)"
	told "the environment, access key $AWS_ACCESS_KEY_ID"
	told "has no versions"
	same "$(s3 versions "$B")" "$before"
	same "$(tree "$T")" "$tree"
}

@test "check: an empty bucket, and one that has nothing below the prefix" {
	check 0
	lines_are $WAY ok:list warning:read ok:delete \
	    warning:conditional_delete ok:versioning ok:object_lock
	s3 put "$B" other/key -
	check 0
	told "warning: read: could not be tried"
	same "$(s3 keys "$B")" "'other/key'"
}

@test "check: a folder marker comes first: no byte to read, and it may be" {
	s3 put "$B" in/ -
	check 0
	told "ok: read: s3://$B/in/"
}

@test "check: versions: no delete marker stays, the right one is tried" {
	objects 1
	for how in Enabled Suspended; do
		s3 versioning "$B" $how
		before=$(s3 versions "$B")
		check 0
		lines_are $WAY ok:list ok:read ok:delete \
		    ok:conditional_delete ok:versioning ok:object_lock
		same "$(s3 versions "$B")" "$before"
	done
	told "suspended"
	s3 versioning "$B" Enabled
	deny s3:DeleteObject "$B/*"
	check 0
	deny s3:DeleteObjectVersion "$B/*"
	check 77
	lines_are $WAY ok:list ok:read FAILED:delete ok:versioning \
	    ok:object_lock
	told s3:DeleteObjectVersion
	same "$(s3 versions "$B")" "$before"
}

@test "check: rights that a policy denies are named, one by one" {
	objects
	before=$(s3 versions "$B")
	deny s3:ListBucket "$B"
	check 77
	told "FAILED: list"
	told "allow s3:ListBucket"
	told "ok: delete"
	deny s3:GetObject "$B/*"
	check 77
	lines_are $WAY ok:list FAILED:read ok:delete \
	    warning:conditional_delete ok:versioning ok:object_lock
	told "allow s3:GetObject"
	deny s3:DeleteObject "$B/*"
	check 77
	lines_are $WAY ok:list ok:read FAILED:delete ok:versioning \
	    ok:object_lock
	told "allow s3:DeleteObject,"
	deny s3:GetBucketObjectLockConfiguration "$B"
	check 0
	told "ok: object lock: it may not be asked"
	same "$(s3 versions "$B")" "$before"
}

@test "check: versions that may not be asked for: no deletion is tried" {
	deny s3:GetBucketVersioning "$B"
	s3 versioning "$B" Enabled
	check 0
	lines_are $WAY ok:list warning:read warning:delete ok:versioning \
	    ok:object_lock
	told "allow s3:GetBucketVersioning"
	same "$(s3 versions "$B")" ""
	# An object shows it.
	objects 1
	before=$(s3 versions "$B")
	check 0
	told "ok: delete: versions"
	same "$(s3 versions "$B")" "$before"
}

@test "check: a right to list the prefix alone is enough" {
	objects
	deny s3:ListBucket "$B" \
	    ', "Condition": {"StringNotLike": {"s3:prefix": "in/*"}}'
	check 0
	lines_are $WAY ok:list ok:read ok:delete \
	    warning:conditional_delete ok:versioning ok:object_lock
	URL=s3://$B/out
	check 77
	told "FAILED: list"
}

@test "check: no such bucket, unknown key, wrong secret, no keys" {
	URL=s3://no-such-bucket-here
	check 78
	lines_are $WAY FAILED:list
	told NoSuchBucket
	URL=s3://$B
	secret=$AWS_SECRET_ACCESS_KEY
	export AWS_SECRET_ACCESS_KEY=${secret/k/K}x
	check 77
	told "FAILED: list"
	told "the environment"
	export AWS_SECRET_ACCESS_KEY=$secret
	export AWS_ACCESS_KEY_ID=NOSUCHKEY00000000000
	check 77
	told "access key NOSUCHKEY00000000000"
	unset AWS_ACCESS_KEY_ID
	expect 78 fb check --endpoint-url "$S3_ENDPOINT" "$URL"
	lines_are ok:source ok:settings FAILED:credentials
}

@test "check: nobody there, no such host, no TLS where it is expected" {
	export AWS_MAX_ATTEMPTS=2
	right=$S3_ENDPOINT
	for S3_ENDPOINT in http://127.0.0.1:1 https://nobody.invalid \
	    "https://${right#*//}"; do
		check 75
		lines_are ok:source ok:settings ok:credentials FAILED:server
		told "${S3_ENDPOINT#*//}"
	done
}

@test "check: TLS: a CA that nobody named is refused, with a word" {
	objects
	S3_ENDPOINT=$TLS
	check 78
	lines_are ok:source ok:settings ok:credentials FAILED:server
	told ca_bundle
	cp "$CA" "$T/ca.crt"
	chmod 644 "$T/ca.crt"
	check 0 --ca-bundle "$T/ca.crt"
	told "its certificate is good"
	told "ca_bundle $T/ca.crt (--ca-bundle)"
	# A file that is none.
	expect 78 fb check --endpoint-url "$TLS" --ca-bundle "$T/none" "$URL"
	lines_are ok:source FAILED:settings
	told "$T/none"
}

@test "check: the configuration: all its sources, keep, the worst code" {
	objects 1
	mail x
	configuration "{\"sources\": [
	    {\"url\": \"$URL\", \"aws\": {\"endpoint_url\": \"$S3_ENDPOINT\"},
	     \"keep\": true,
	     \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"/m\"}]},
	    {\"url\": \"s3://no-such-bucket-here/\",
	     \"aws\": {\"endpoint_url\": \"$S3_ENDPOINT\"},
	     \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"/m\"}]},
	    {\"url\": \"file://$SRC/\",
	     \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"/m\"}]}]}"
	expect 78 fb check --config "$CONFIG"
	lines_are $WAY ok:list ok:read ok:delete ok:versioning ok:object_lock \
	    $WAY FAILED:list ok:source ok:list ok:read ok:delete ok:milter
	told "(configuration)"
	told "nothing is deleted (keep)"
}

@test "check: what counts is what the engine may, and who reads the keys" {
	need_root
	objects 1
	started_as root
	printf 'access_key_id = %s\nsecret_access_key = %s\n' \
	    "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$T/key"
	chmod 600 "$T/key"
	mail x
	configuration "{\"sources\": [
	    {\"url\": \"$URL\", \"aws\": {\"endpoint_url\": \"$S3_ENDPOINT\",
	     \"key_file\": \"$T/key\"},
	     \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"/m\"}]},
	    {\"url\": \"file://$SRC/\",
	     \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"/m\"}]}]}"
	unset AWS_ACCESS_KEY_ID
	expect 0 fb check --config "$CONFIG"
	told "$T/key"
	chown -R root: "$SRC"
	chmod 755 "$SRC"
	chmod 600 "$SRC/x"
	expect 77 fb check --config "$CONFIG"
	told "FAILED: read: cannot read $SRC/x as uid $(id -u fallbackmx)"
	told "FAILED: delete: cannot delete $SRC/x"
	chmod 700 "$SRC"
	expect 77 fb check --config "$CONFIG"
	told "FAILED: source"
}

@test "check: words that do not go together" {
	expect 64 fb check s3://a-bucket s3://another
	expect 64 fb check --config "$T/none" "$URL"
	expect 64 fb check http://host/
	expect 64 fb check --region eu-west-1 "file://$SRC/"
	expect 64 fb check --connections 3 "$URL"
	expect 78 fb check --config "$T/none"
	says "$T/none"
}
