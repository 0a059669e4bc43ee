#!/usr/bin/env bats
# fallbackmx sync from OpenStack Swift: another verifier of signatures, and a
# server that honours If-Match of a DELETE, though not of a key that is missing
# (204, where AWS has 404), so that it is taken for one that does not. For
# check-long; needs root.

load s3

setup_file() { server swift; }
teardown_file() { server_down; }

@test "Swift: every object delivered, bucket emptied, second run silent" {
	mails 30
	upload
	expect 0 fb_s3 --json
	counted listed=30 imported=30 deleted=30
	delivered
	bucket 0
	expect 0 fb_s3
	silent
}

@test "Swift: odd keys: right object read, right one deleted, no other (F25)" {
	n=$("$FB_PYTHON" "$FB_HERE/s3keys.py" "$B" "$T/sent" control)
	expect 0 fb_s3 --json
	counted listed="$n" imported="$n" deleted="$n"
	delivered
	same "$(s3 keys "$B" | tr '\n' ' ')" \
	    "'100%' 'b' 'in' 'inx' 'lead' 'pctA' 'x' "
}

@test "Swift: --keep, then an object that is put again, two keys of one id" {
	mails 3
	upload
	expect 0 fb_s3 --keep
	ses make "$T/sent/other" "$(ses id 5)"
	s3 put "$B" "in/$(ses id 0)" "$T/sent/other"
	s3 put "$B" "in/zz" "$T/sent/other"
	expect 0 fb_s3 --json
	counted listed=4 imported=1 skipped=2 duplicate=1 deleted=4
	delivered
	bucket 0
}

@test "Swift: pages" {
	s3 numbered "$B" in/ 1100
	expect 0 fb_s3 --json --connections 8
	counted listed=1100 imported=1100 deleted=1100
	ses check-many "$MD" 1100
	bucket 0
}

@test "Swift: a wrong secret is named" {
	mails 1
	upload
	AWS_SECRET_ACCESS_KEY=wrong run --separate-stderr fb_s3
	[ "$status" -ge 65 ]
	says SignatureDoesNotMatch
	bucket 1
}
