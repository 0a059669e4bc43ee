# What the suites over S3 share: a server for the file, a bucket for a test.
# Includes helpers. AWS_* of the environment is how the product and s3.py
# get at it; B is the bucket, URL the source.

load helpers

# server KIND [OPTION...]: of tests/s3, started once for all tests of a file.
server() {
	local kind=$1 code=0
	shift
	export SERVER=$FB_WORLD/$kind SERVER_KIND=$kind SERVER_LACKS=
	"$FB_TOP/tests/s3/$kind.sh" start "$SERVER" "$@" \
	    </dev/null >"$FB_WORLD/$kind.log" 2>&1 3>&- 4>&- || code=$?
	case $code in
	0) ;;
	77) SERVER_LACKS=$(tail -n 1 "$FB_WORLD/$kind.log") ;;
	*) cat "$FB_WORLD/$kind.log"; return 1 ;;
	esac
}

server_down() {
	"$FB_TOP/tests/s3/$SERVER_KIND.sh" stop "$SERVER"
	rm -rf "$SERVER" "$FB_WORLD/$SERVER_KIND.log"
}

s3() {
	"$FB_PYTHON" "$FB_TOP/tests/s3/s3.py" "$@"
}

more_setup() {
	[ -z "$SERVER_LACKS" ] || skip "${SERVER_LACKS#skipped: }"
	set -a
	. "$SERVER/env"
	set +a
	# The client goes the short way; who wants TLS says so.
	CA=${S3_CA-} TLS=${S3_TLS_ENDPOINT-} ROLE=${S3_ROLE-}
	unset S3_CA S3_TLS_ENDPOINT S3_ROLE
	export AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY
	export AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
	export AWS_REGION=$S3_REGION AWS_EC2_METADATA_DISABLED=true
	B=test-$FB_MODE-$BATS_TEST_NUMBER URL=s3://$B/in/
	s3 bucket "$B"
	mkdir -p "$T/sent"
}

# upload: what helpers have put into $SRC goes into the bucket, below in/.
upload() {
	s3 fill "$B" in/ "$SRC"
	rm -rf "${SRC:?}"/*
}

# fb_s3 [OPTIONS...]: this test's bucket into this test's Maildir.
fb_s3() {
	fb sync --state-dir "$STATE" --endpoint-url "$S3_ENDPOINT" "$@" \
	    "$URL" "$MD"
}

bucket() { # COUNT: as many objects are left
	same "$(s3 count "$B")" "$1"
}
