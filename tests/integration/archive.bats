#!/usr/bin/env bats
# fallbackmx archive: what an administrator sees and does. The archives are
# made by tests/journal/appender, as a milter would.

load helpers
load archive

@test "archive: nothing there, no word, a wrong word" {
	expect 66 archive list
	says "nothing was archived there"
	expect 66 fb archive list --archive "$T/none"
	says "No such file"
	expect 64 fb archive
	says "expected list, show, cat, export, verify, prune, erase or stats"
	expect 64 fb archive lst
	says "did you mean list?"
	expect 64 archive show
	says "expected ID"
	says "try: fallbackmx archive show --help"
	expect 64 fb archive stats "$A"
	says "expected no argument; --archive names it"
}

@test "list: all in order, and filters" {
	append "$A/main" --count 300 --threads 4
	one 'From: Jos\303\251 <x@y>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx'
	expect 0 archive list
	same "$(wc -l <<<"$output")" 301
	same "$(grep main/ <<<"$output" | sort -c 2>&1)" ""
	expect 0 archive list --header "subject=gr\303\274\303\237e" --header from=X@Y
	same "$output" ""
	expect 0 archive list --header subject=GR$'\303\274\303\237'E --header from=X@Y
	same "$(cut -d' ' -f1 <<<"$output")" "$ID"
	expect 0 archive list --envelope-from S7@ --envelope-to r17@
	same "$(wc -l <<<"$output")" 3
	expect 0 archive list --queue-id 4b000011
	same "$(wc -l <<<"$output")" 1
	expect 0 archive list --client 192.0.2.9 --limit 1
	same "$(wc -l <<<"$output")" 1
	expect 0 archive list --since 2100-01-01
	silent
	expect 0 archive list --until 2000-01-01T00:00:00Z
	silent
	expect 64 archive list --since yesterday
	says "expected a time"
	expect 64 archive list --header subject
	says "NAME=TEXT"
}

@test "list --json: every line is an object, with the metadata" {
	append "$A/main" --count 20
	expect 0 archive list --json
	"$FB_PYTHON" - <<-END
	import json
	lines = [json.loads(x) for x in '''$output'''.splitlines()]
	assert len(lines) == 20
	for x in lines:
	    assert x['type'] == 'message' and len(x['sha256']) == 64
	    assert x['metadata']['envelope']['recipients'][0]['address']
	END
}

@test "cat: the bytes as they came" {
	for text in '' '\r\n' 'A: b\r\n\r\n\001\200\377 8-bit' '\r\n.\r\n..\r\n' \
	    'A: b\r\n\r\nlone\rcr\nlf' 'no header'; do
		one "$text"
		archive cat "$ID" | cmp - "$T/mail"
	done
	"$FB_PYTHON" -c 'import sys
sys.stdout.buffer.write(b"A: b\r\n\r\n" + b"x" * 5000 + b"\r\n\0\0\r\n")' >"$T/mail"
	append "$A/legal" "$T/mail"
	archive cat "legal/$(head -n 1 "$T/appended" | cut -d' ' -f1)" |
		cmp - "$T/mail"
}

# rewritten FILE FROM TO: of its metadata, with all sums of one record right.
rewritten() {
	"$FB_PYTHON" - "$FB_TOP/tests/journal" "$@" <<-'END'
	import hashlib, struct, sys
	sys.path.insert(0, sys.argv[1])
	import reader
	data = bytearray(open(sys.argv[2], 'rb').read())
	h = bytearray(data[112:336])
	meta, stored = struct.unpack_from('<QQ', h, 56)
	text = bytes(data[336:336 + meta])
	new = text.replace(sys.argv[3].encode(), sys.argv[4].encode())
	assert new != text and len(new) == len(text)
	data[336:336 + meta] = new
	h[112:144] = hashlib.sha256(new).digest()
	h[216:220] = reader.crc(data[336:336 + meta + stored])
	h[220:224] = reader.crc(h[:220])
	data[112:336] = h
	open(sys.argv[2], 'r+b').write(data)
	END
}

@test "show, list: metadata that somebody forged" {
	one 'A: b\r\n\r\nx'
	rewritten "$A/legal/0000000001.segment" number '\u001b'
	rewritten "$A/legal/0000000001.segment" r0@example.com '\u009b2J\u202e'
	expect 0 archive show "$ID"
	[[ "$output" == *'\x1b'* ]]
	[[ "$output" == *'\xc2\x9b2J'* ]]
	[[ "$output" != *$'\033'* ]]
	for word in "list" "stats" "list --json" "show --json $ID"; do
		# shellcheck disable=SC2086
		expect 0 archive $word
		[[ "$output" != *$'\033'* ]]
		[[ "$output" != *$'\302\233'* ]]
	done
	# What is no archive's name is none.
	cp -r "$A/legal" "$A/"$'\033[2J'
	cp -r "$A/legal" "$A/"$'\377'
	expect 0 archive list --json
	same "$(wc -l <<<"$output")" 1
	# It is well made, but it is not what was written.
	append "$A/legal" --count 1
	expect 65 archive verify
	says "the chain is broken"
}

@test "list, show: bytes that are no UTF-8 are shown, and found, as they are" {
	one 'A: b\r\n\r\ny'
	rewritten "$A/legal/0000000001.segment" '"address":"r0@example.com"' \
	    '"address":{"base64":"5EA"}'
	expect 0 archive list --envelope-to $'\344@'
	[[ "$output" == *"$ID "*'<\xe4@>' ]]
	expect 0 archive show "$ID"
	[[ "$output" == *'To        <\xe4@>'* ]]
}

@test "an archive that may not be read is not passed over" {
	need_root
	append "$A/main" --count 3
	append "$A/legal" --count 3
	chown -R root "$A/legal" "$A/main"
	chmod 700 "$A/legal"
	for word in list verify stats; do
		expect 77 as alice "$FB_BIN/fallbackmx" archive $word --archive "$A"
		says "legal: Permission denied"
	done
}

# As the milter, to which it is the same.
@test "an archive that was moved away, with a link in its place, is one" {
	append "$A/main" --count 2
	mv "$A/main" "$T/out/disk"
	ln -s "$T/out/disk" "$A/main"
	ln -s nowhere "$A/none"
	ln -s self "$A/self"
	append "$A/main" --count 1
	append "$A/legal" --count 1
	expect 0 archive list
	same "$(wc -l <<<"$output")" 4
	expect 0 archive verify
	same "$(grep -c ^head <<<"$output")" 2
}

@test "show and cat: ids that are none, or of nothing" {
	append "$A/main" --count 2
	expect 64 archive show 12
	says "expected an id"
	append "$A/legal" --count 2
	expect 64 archive show 00000010000e
	says "expected NAME/ID"
	expect 66 archive show other/00000010000e
	says "no such archive"
	expect 66 archive show main/00000110000e
	says "no segment"
	expect 65 archive show main/00000010000f
	expect 66 archive cat main/0000001zzzzz
	expect 0 archive show main/00000010000e legal/00000010000e
}

@test "export: eml, Maildir and mbox hold every message, again and again" {
	append "$A/main" --count 60 --twice 7
	message mail 'From: a@b\r\n\r\nFrom me\r\n>From you\r\nFro'
	append "$A/legal" "$T/mail"
	for kind in eml maildir mbox; do
		for ran in 1 2; do
			expect 0 archive export --format $kind --metadata \
			    --output "$T/out/$kind"
		done
		says "0 messages written, 61 were there"
	done
	append "$A/main" --count 5 --size 50
	for kind in eml maildir mbox; do
		expect 0 archive export --format $kind --metadata \
		    --output "$T/out/$kind"
		says "5 messages written"
	done
	for id in $(archive list | cut -d' ' -f1); do
		archive cat "$id" | cmp - "$T/out/eml/${id/\//-}.eml"
		[ -s "$T/out/eml/${id/\//-}.json" ]
		[ -s "$T/out/maildir/metadata/${id/\//-}.json" ]
	done
	same "$(ls "$T/out/maildir/new" | wc -l)" 66
	same "$(ls "$T/out/maildir/tmp" | wc -l)" 0
	"$FB_PYTHON" - "$T/out" <<-'END'
	import glob, json, mailbox, re, sys
	out = sys.argv[1]
	want = sorted(open(f, 'rb').read().replace(b'\r\n', b'\n')
	              for f in glob.glob(out + '/eml/*.eml'))
	def unquote(b):
	    return re.sub(rb'^>(>*From )', rb'\1', b, flags=re.M)
	box = sorted(unquote(m.as_bytes(unixfrom=False)) for m in
	             mailbox.mbox(out + '/mbox'))
	assert len(box) == 66
	assert [b.rstrip(b'\n') for b in want] == [b.rstrip(b'\n') for b in box]
	assert len([json.loads(x) for x in open(out + '/mbox.json')]) == 66
	new = sorted(open(f, 'rb').read() for f in glob.glob(out + '/maildir/new/*'))
	assert new == want
	END
}

@test "export: goes on where it was killed" {
	append "$A/main" --count 3000
	for kind in eml maildir mbox; do
		for n in 1 2 3; do
			background fb archive export --archive "$A" \
			    --format $kind --output "$T/out/$kind" --quiet
			sleep 0.0$((n * 2))
			kill -KILL $(family $BG) 2>/dev/null || :
			wait $BG || :
		done
		# The killed one may still hold its lock for a moment.
		wait_for archive export --format $kind \
		    --output "$T/out/$kind" -q
	done
	same "$(ls "$T/out/eml" | grep -c 'eml$')" 3000
	same "$(ls "$T/out/maildir/new" | wc -l)" 3000
	same "$(grep -c '^From s' "$T/out/mbox")" 3000
}

# Names sort otherwise than ids: "main-2" before "main/".
@test "export: an mbox gets all of several archives" {
	mkdir -m 755 "$A/main-2"
	give "$CALLER" "$A/main-2"
	append "$A/main" --count 3
	append "$A/main-2" --count 4
	for ran in 1 2; do
		expect 0 archive export --format mbox --output "$T/out/mbox"
	done
	says "0 messages written, 7 were there"
	same "$(grep -c '^From s' "$T/out/mbox")" 7
	expect 0 archive list
	same "$(grep -v control <<<"$output" | LC_ALL=C sort -c 2>&1)" ""
}

# "main" is behind "legal", and yet not all that legal will ever have.
@test "export: an mbox goes on with each of several archives" {
	append "$A/main" --count 3
	append "$A/legal" --count 2
	expect 0 archive export --format mbox --output "$T/out/mbox"
	append "$A/legal" --count 2
	append "$A/main" --count 1
	expect 0 archive export --format mbox --output "$T/out/mbox"
	says "3 messages written, 5 were there"
	same "$(grep -c '^From s' "$T/out/mbox")" 8
	# One by one, where each has the same ids, and one that began anew.
	for name in legal main legal; do
		expect 0 fb archive export --archive "$A/$name" --format mbox \
		    --output "$T/out/one"
	done
	says "0 messages written, 4 were there"
	same "$(grep -c '^From s' "$T/out/one")" 8
	rm "$A/legal"/*
	append "$A/legal" --count 1
	expect 0 archive export --format mbox --output "$T/out/mbox"
	says "1 message written, 4 were there"
}

@test "export: a file of another message is not taken for this one's" {
	append "$A/main" --count 2 --size 500
	append "$A/legal" --count 2 --size 700
	expect 0 fb archive export --archive "$A/main" --output "$T/out/eml"
	expect 65 fb archive export --archive "$A/legal" --output "$T/out/eml"
	says "00000010000e.eml is there and is another message"
	says "written, 0 were there"
}

@test "export: links of somebody else's are not followed" {
	append "$A/main" --count 1
	id=main-$(cut -d' ' -f1 "$T/appended" | head -n 1)
	echo mine >"$T/mine"
	chmod 666 "$T/mine"
	mkdir -m 777 "$T/out/eml" "$T/out/maildir" "$T/out/elsewhere"
	ln -s "$T/mine" "$T/out/eml/.$id.eml.part"
	ln "$T/mine" "$T/out/eml/.$id.json.part"
	ln -s "$T/mine" "$T/out/mbox.resume.new"
	give "$CALLER" "$T/out/eml" "$T/out/maildir" "$T/out/elsewhere"
	expect 0 archive export --output "$T/out/eml" --metadata
	expect 0 archive export --output "$T/out/mbox" --format mbox
	same "$(cat "$T/mine")" mine
	archive cat "${id/-//}" | cmp - "$T/out/eml/$id.eml"
	ln -s "$T/out/elsewhere" "$T/out/maildir/new"
	expect 73 archive export --output "$T/out/maildir" --format maildir
	same "$(ls "$T/out/elsewhere")" ""
}

@test "export: mistakes" {
	append "$A/main" --count 1
	expect 64 archive export
	says "expected --output"
	expect 64 archive export --output "$T/out/x" --format tar
	says "expected eml, maildir or mbox"
	echo mine >"$T/out/there"
	expect 73 archive export --output "$T/out/there" --format mbox
	says "File exists"
	expect 73 archive export --output "$T/out/none/x"
}

@test "verify: right, then one byte is another" {
	append "$A/main" --count 30
	expect 0 archive verify
	[[ "$output" == *"as it was written: 30 messages"* ]]
	HEAD=$(sed -n 's/^head //p' <<<"$output")
	append "$A/main" --count 3 --size 10
	expect 0 archive verify --against "$HEAD"
	expect 65 archive verify --against "${HEAD%?}$( [ "${HEAD: -1}" = 0 ] && echo 1 || echo 0)"
	expect 64 archive verify --against fmx1:x
	expect 0 archive verify --json
	"$FB_PYTHON" -c 'import json, sys
x = json.loads(sys.argv[1])
assert x["right"] and x["messages"] == 33 and not x["findings"]' "$output"
	printf '\377' | dd of="$A/main/0000000001.segment" bs=1 seek=5000 \
	    conv=notrunc status=none
	expect 65 archive verify
	says "segment 1"
	# The others can be read.
	expect 65 archive list
	same "$(wc -l <<<"$output")" 32
	says "damage in the archive"
}

@test "verify: one is one, and an archive that is empty is named" {
	append "$A/main" --count 1
	as "$CALLER" touch "$A/legal/lock"
	expect 0 archive verify
	[[ "$output" == *"main: as it was written: 1 message, 0 came again"* ]]
	[[ "$output" == *"legal: empty: nothing is there to verify" ]]
	expect 0 archive verify --json
	same "$(grep -c '"messages":0' <<<"$output")" 1
	# What is no archive is none.
	rm "$A/legal/lock"
	expect 0 archive verify
	[[ "$output" != *legal* ]]
}

@test "erase: the bytes are gone, the reason is there, all else is proved" {
	one 'A: b\r\n\r\nsecret'
	append "$A/main" --count 3
	expect 64 archive erase "$ID"
	says "--reason"
	expect 64 archive erase --reason $'\351t\351' "$ID"
	says "expected UTF-8"
	expect 0 archive erase -n --reason x "$ID"
	archive cat "$ID" | cmp - "$T/mail"
	expect 0 archive erase --reason $'court order 7\033' "$ID"
	expect 0 archive erase --reason again "$ID"
	[[ "$output" == *"erased before"* ]]
	expect 69 archive cat "$ID"
	says "were erased"
	expect 0 archive show "$ID"
	[[ "$output" == *"header and text are gone"* ]]
	! grep -r secret "$A/legal"
	expect 0 archive verify
	expect 0 archive list --controls
	[[ "$output" == *'court order 7\u001B'* ]]
	# A sender that comes again is archived whole.
	append "$A/legal" "$T/mail"
	archive cat "legal/$(head -n 1 "$T/appended" | cut -d' ' -f1)" |
		cmp - "$T/mail"
}

@test "stats: counts, also as JSON" {
	append "$A/main" --count 30 --twice 10
	expect 0 archive stats --json
	counted messages=27 again=3 erased=0
	expect 0 archive stats
	[[ "$output" == *"messages  27"* ]]
}

@test "an archive is written while it is read" {
	background append "$A/main" --count 20000 --threads 4 --size 300
	wait_for [ -s "$A/main/0000000001.segment" ]
	sleep 0.1
	for n in $(seq 5); do
		expect 0 archive list
		expect 0 archive verify
	done
	wait $BG
	expect 0 archive list
	same "$(wc -l <<<"$output")" 20000
}

@test "reading needs no right to write" {
	need_root
	append "$A/main" --count 3
	expect 0 as root "$FB_BIN/fallbackmx" archive verify --archive "$A"
	chgrp -R alice "$A"
	chmod 750 "$A" "$A/main"
	for word in list verify stats; do
		expect 0 as alice "$FB_BIN/fallbackmx" archive $word --archive "$A"
	done
	ID=$(archive list --limit 1 | cut -d' ' -f1)
	[ "$CALLER" = alice ] ||
		expect 77 as alice "$FB_BIN/fallbackmx" archive erase \
		    --archive "$A" --reason x "$ID"
	# Who may only read cannot hold the lock, and mail with it.
	[ "$CALLER" = alice ] || ! as alice flock -n "$A/main/lock" true
}

@test "README.md: what it says of archives is understood" {
	"$FB_PYTHON" - "$FB_TOP/README.md" "$T" <<-'END'
	import re, sys
	text = open(sys.argv[1]).read().split('## Archived mail')[1]
	found = re.findall(r'```json\n(.*?)```', text.split('\n## ')[0], re.S)
	path = '/etc/fallbackmx/rules.json'
	assert path in found[1]
	for name, content in zip(('all', 'some', 'time'), found):
	    open('%s/%s.json' % (sys.argv[2], name), 'w').write(
	        content.replace(path, sys.argv[2] + '/rules.json'))
	END
	message rules.json '{"RuleSetName": "a", "Rules": [{"Name": "b",
	    "Actions": [{"Archive": {"TargetArchive": "a-1a2b3c"}}]}]}'
	chmod 644 "$T"/*.json
	expect 0 fb config check --config "$T/all.json"
	expect 0 fb config check --config "$T/some.json"
	mkdir "$A/all"
	rmdir "$A/main" "$A/legal"
	give "$CALLER" "$A/all"
	append "$A/all" --count 3
	expect 0 archive prune --document "$T/time.json"
	expect 0 archive stats
	[[ "$output" == *ONE_YEAR* ]]
}

# Whoever owns the directory may have linked there what is not his.
@test "root gives nobody a file that was linked to the place of a lock" {
	need_root
	append "$A/main" --count 1
	id=main/$(cut -d' ' -f1 "$T/appended" | head -n 1)
	chown -R alice "$A/main"
	echo root >"$T/secret"
	chmod 600 "$T/secret"
	for name in lock maintenance; do
		ln -f "$T/secret" "$A/main/$name"
		expect 74 as root "$FB_BIN/fallbackmx" archive erase \
		    --archive "$A" --reason x "$id"
		says "Too many links"
		same "$(stat -c %u "$T/secret")" 0
		rm "$A/main/$name"
	done
	expect 0 as root "$FB_BIN/fallbackmx" archive erase --archive "$A" \
	    --reason x "$id"
	same "$(stat -c %U "$A/main/lock" "$A/main/maintenance")" \
	    $'alice\nalice'
}

@test "check, config check: a directory of archives that the milter cannot use" {
	config() { # DIRECTORY
		message config.json "{\"milter\": {\"ingress_points\": [],
		    \"archive\": {\"default\": \"all\", \"directory\": \"$1\"}}}"
	}
	config "$T/none"
	expect 0 fb config check --config "$T/config.json"
	says "warning: cannot archive in $T/none: No such file or directory - "
	says "mount the disk, or install -d -m 2750 -o fallbackmx-milter"
	fb check --config "$T/config.json" >"$T/said" 2>&1 || true
	grep "^FAILED: archive: cannot archive in $T/none: No such file" "$T/said"
	message file ''
	config "$T/file"
	expect 0 fb config check --config "$T/config.json"
	says "cannot archive in $T/file: Not a directory"
	config "$A"
	if [ "$CALLER" = root ]; then
		expect 0 fb config check --config "$T/config.json"
		says "fallbackmx-milter may not write there: Permission denied"
		chown fallbackmx-milter "$A"
	fi
	# The milter makes the archive itself.
	expect 0 fb config check --config "$T/config.json"
	same "$stderr" ""
}
