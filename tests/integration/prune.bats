#!/usr/bin/env bats
# fallbackmx archive prune: what goes, when, and for which archive. The archives
# are made by tests/journal/appender, as a milter would.

load helpers
load archive

@test "prune: two steps, by the document, never shorter by itself" {
	append "$A/main" --count 5 --days 400
	append "$A/main" --count 5 --days 100
	append "$A/main" --count 5
	document() { # WORD [NAME]
		message doc "{\"ArchiveName\":\"${2-main}\",\"Retention\":{\"RetentionPeriod\":\"$1\"}}"
	}
	document PERMANENT
	expect 0 archive prune --document "$T/doc" -v
	silent
	document ONE_YEAR
	expect 78 archive prune --document "$T/doc"
	says "--shorten"
	expect 0 archive prune
	silent
	expect 0 archive prune --document "$T/doc" --shorten -n
	[[ "$output" == *"segment 1 would be pruned: 5 records"* ]]
	expect 0 archive prune --document "$T/doc" --shorten -v
	same "$(wc -l <<<"$output")" 1
	expect 0 archive list
	same "$(wc -l <<<"$output")" 10
	expect 0 archive verify
	says "segments 1 to 1 were pruned"
	[ -e "$A"/main/0000000001.pruned-* ]
	expect 66 archive erase --reason x main/00000010000e
	says "its bytes are in 0000000001.pruned-"
	expect 0 archive prune --grace 1
	[ -e "$A"/main/0000000001.pruned-* ]
	expect 0 archive prune --grace 0 -v
	[[ "$output" == *"removed"* ]]
	[ ! -e "$A"/main/0000000001.pruned-* ]
	document SOMETIMES
	expect 78 archive prune --document "$T/doc"
	says "SOMETIMES"
}

@test "prune: each document is for the archive of its name" {
	append "$A/main" --count 2 --days 100
	append "$A/main" --count 2
	append "$A/legal" --count 2 --days 100
	append "$A/legal" --count 2
	message m '{"ArchiveName":"main","Retention":{"RetentionPeriod":"THREE_MONTHS"}}'
	message l '{"ArchiveName":"legal","Retention":{"RetentionPeriod":"TEN_YEARS"}}'
	expect 0 archive prune --document "$T/m" --document "$T/l" -v
	same "$(wc -l <<<"$output")" 1
	[[ "$output" == *"/main: segment 1 pruned"* ]]
	# Of two the one of its name, also where the archive itself is named.
	expect 0 fb archive prune --archive "$A/legal" --document "$T/m" \
	    --document "$T/l" -n
	silent
}

@test "prune: an archive that no document is for is not left to the default" {
	append "$A/main" --count 2 --days 400
	append "$A/main" --count 2
	append "$A/legal" --count 2 --days 400
	append "$A/legal" --count 2
	message m '{"ArchiveName":"main","Retention":{"RetentionPeriod":"PERMANENT"}}'
	message l '{"ArchiveName":"Legal","Retention":{"RetentionPeriod":"PERMANENT"}}'
	expect 78 archive prune --document "$T/m" --document "$T/l" -v
	says "legal: no document is for it"
	[ -e "$A/legal/0000000001.segment" ]
}

@test "prune --remembered: nothing where nobody said how long" {
	append "$A/main" --count 2 --days 400
	append "$A/main" --count 2
	append "$A/legal" --count 2 --days 400
	append "$A/legal" --count 2
	tree() {
		find "$A" -name '[0-9]*' -exec sha256sum {} + | sort -k2
	}
	before=$(tree)
	expect 0 archive prune --remembered --grace 0 -v
	silent
	same "$(tree)" "$before"
	message m '{"ArchiveName":"main","Retention":{"RetentionPeriod":"ONE_YEAR"}}'
	expect 0 archive prune --document "$T/m" --remembered
	[ -e "$A"/main/0000000001.pruned-* ]
	# By hand first, by the timer from then on.
	expect 0 archive prune --remembered --grace 0 -v
	same "$(wc -l <<<"$output")" 1
	[[ "$output" == *"/main: segment 1 removed"* ]]
	same "$(tree | grep legal/)" "$(grep legal/ <<<"$before")"
	expect 0 archive verify
	# What cannot remember is no reason to say nothing.
	printf x | dd of="$A/legal/0000000001.segment" bs=1 seek=150 \
	    conv=notrunc 2>/dev/null
	expect 65 archive prune --remembered
	says "give --document"
}

@test "prune: the last mail of an archive to which nobody writes goes, too" {
	# Who archived it stands still, and has not sealed it.
	append "$A/main" --count 2 --days 300
	rm "$A/main/0000000002.segment"
	expect 0 archive prune -n
	[[ "$output" == *"segment 1 would be pruned: 2 records"* ]]
	expect 0 archive prune -v
	same "$(wc -l <<<"$output")" 1
	expect 0 archive list
	silent
	expect 0 archive stats
	[[ "$output" == *"messages  0"* ]]
	expect 0 archive verify
	expect 0 archive prune --grace 0 -v
	[[ "$output" == *"segment 1 removed"* ]]
	expect 0 archive prune --grace 0 -v
	silent
	append "$A/main" --count 2
	expect 0 archive verify
	expect 0 archive list
	same "$(wc -l <<<"$output")" 2
}
