#!/usr/bin/env bats
# No way in: whatever the owner of a mailbox puts in place of its parts, no
# file comes to lie outside, the others are served, the mail is kept (F40-F42).

load helpers

# alice attacks, bob is the others; outside invites everybody.
more_setup() {
	need_root
	started_as root
	A=$T/alice/Maildir B=$T/bob/Maildir OUT=$T/outside
	mkdir -m 700 "$T/alice" "$T/bob"
	mkdir "$OUT" "$OUT/new" "$OUT/cur" "$OUT/tmp" "$OUT/fallbackmx.stage"
	echo precious >"$OUT/precious"
	chmod -R a+rwX "$OUT"
	ln -s ../outside "$T/alice/out"
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/alice/Maildir", "owner": "alice" },
	    { "prefix": "b/", "maildir": "@/bob/Maildir", "owner": "bob" } ] } ] }'
	mkdir -m 700 "$A" "$A/new" "$A/cur" "$A/tmp"
	give alice "$T/alice"
	give bob "$T/bob"
	mkdir "$T/pool" "$T/sent" "$T/sent/a" "$T/sent/b" "$SRC/a" "$SRC/b"
	ses many "$T/pool" 60
	ROUND=0
}

post() { # two mails for alice, one for bob
	local from=$ROUND
	ROUND=$((ROUND + 3))
	mv "$T/pool/$(ses id "$from")" "$T/sent/b/$from"
	mv "$T/pool/$(ses id $((from + 1)))" "$T/sent/a/$((from + 1))"
	mv "$T/pool/$(ses id $((from + 2)))" "$T/sent/a/$((from + 2))"
	offer "b/$from"
	offer "a/$((from + 1))"
	offer "a/$((from + 2))"
}

# refused: run; alice's mail is kept and the reason said, bob has his,
# nothing outside has changed.
refused() {
	local kept
	outside=$(tree "$OUT")
	post
	kept=$(count "$SRC/a")
	expect 75 fb sync --config "$CONFIG"
	says "$A"
	grep -F "$A" <<<"$stderr" | grep -qE 'Not a directory|belongs to uid|'\
'Permission denied|No such file|Too many levels|not a Maildir' || {
		echo "no reason: $stderr"
		return 1
	}
	same "$(count "$SRC/a")" "$kept"
	same "$(count "$SRC/b")" 0
	same "$(count "$B/new")" $((ROUND / 3))
	same "$(tree "$OUT")" "$outside"
}

# repaired: nothing was lost meanwhile.
repaired() {
	expect 0 fb sync --config "$CONFIG"
	delivered "$A" "$T/sent/a"
	delivered "$B" "$T/sent/b"
	same "$(count "$SRC")" 0
}

# instead KIND PATH: puts something wrong where PATH was.
instead() {
	rm -rf "$2"
	case $1 in
	absolute) ln -s "$OUT/new" "$2" ;;
	relative) ln -s ../../outside/new "$2" ;;
	through) ln -s ../out/new "$2" ;;
	dangling) ln -s "$OUT/made" "$2" ;;
	own) mkdir -p "$T/alice/elsewhere"
	     chown alice: "$T/alice/elsewhere"
	     ln -s "$T/alice/elsewhere" "$2" ;;
	fifo) mkfifo "$2" ;;
	file) echo x >"$2" ;;
	foreign) mkdir -m 777 "$2"; chown bob: "$2"; return ;;
	roots) mkdir -m 777 "$2"; chown root: "$2"; return ;;
	closed) mkdir -m 000 "$2" ;;
	esac
	chown -h alice: "$2"
	[ "$1" != fifo ] || chmod 666 "$2"
}

attack() { # PATH KIND...: each in turn, then all is repaired
	local path=$1 kind
	shift
	[ ! -e "$path" ] || mv "$path" "$T/was"
	for kind; do
		echo "$kind in place of $path"
		instead "$kind" "$path"
		refused
		[ "$kind" != fifo ] || [ -p "$path" ]
	done
	rm -rf "$path"
	[ ! -e "$T/was" ] || mv "$T/was" "$path"
	repaired
}

@test "Maildir/new is not what it should be (F40)" {
	attack "$A/new" absolute relative through dangling own fifo file \
	    foreign roots closed
}

@test "Maildir/cur is not what it should be (F40)" {
	attack "$A/cur" absolute relative through dangling own fifo file \
	    foreign roots closed
}

@test "Maildir/tmp is not what it should be (F40)" {
	attack "$A/tmp" absolute relative through dangling own fifo file \
	    foreign roots closed
}

@test "Maildir/fallbackmx.stage is not what it should be (F40)" {
	attack "$A/fallbackmx.stage" absolute relative through dangling own \
	    fifo file foreign roots closed
}

@test "the same after the first import, when the stage is in use" {
	post
	expect 0 fb sync --config "$CONFIG"
	attack "$A/fallbackmx.stage" absolute dangling fifo file foreign closed
	attack "$A/new" absolute fifo closed
}

@test "Maildir itself is a file, a FIFO, foreign or closed (F40)" {
	attack "$A" dangling fifo file foreign roots closed
}

@test "Maildir itself is a link to what is not his (F40)" {
	mv "$A" "$T/was"
	for to in "$OUT" ../outside out; do
		ln -sfn "$to" "$A"
		chown -h alice: "$A"
		chown -R bob: "$OUT"
		refused
		chown -R root: "$OUT"
		refused
	done
	rm "$A"
	mv "$T/was" "$A"
	repaired
}

@test "Maildir itself is a link to a directory of his on another disk" {
	mkdir "$T/disk"
	mv "$A" "$T/disk/Mail"
	chown alice: "$T/disk"
	for to in "$T/disk/Mail" ../disk/Mail; do
		ln -sfn "$to" "$A"
		chown -h alice: "$A"
		post
		run --separate-stderr fb sync --config "$CONFIG"
		delivered "$B" "$T/sent/b"
		if [ "$status" = 0 ]; then
			delivered "$T/disk/Mail" "$T/sent/a"
		else
			same "$status" 75
			says "$A"
			same "$(count "$T/disk/Mail")" 0
		fi
	done
}

@test "the home itself is a link to what is not his" {
	rm -rf "$T/alice"
	ln -s "$OUT" "$T/alice"
	chown -h alice: "$T/alice"
	chown root: "$OUT"
	chmod 755 "$OUT"
	refused
}

@test "the mark is a link, a FIFO, a directory, foreign, closed" {
	post
	expect 0 fb sync --config "$CONFIG"
	mark=$A/fallbackmx.stage/.mark
	[ -f "$mark" ]
	cp -a "$mark" "$T/mark"
	for kind in absolute dangling fifo foreign closed hard; do
		rm -rf "$mark"
		case $kind in
		absolute) ln -s "$OUT/precious" "$mark" ;;
		dangling) ln -s "$OUT/made" "$mark" ;;
		fifo) mkfifo -m 666 "$mark" ;;
		foreign) cp "$T/mark" "$mark"; chmod 666 "$mark" ;;
		closed) mkdir -m 000 "$mark" ;;
		hard) ln "$OUT/precious" "$mark" ;;
		esac
		case $kind in
		foreign) chown bob: "$mark" ;;
		hard) ;;
		*) chown -h alice: "$mark" ;;
		esac
		outside=$(cd "$OUT" && find . -type f -exec cat {} + ; find "$OUT")
		post
		run --separate-stderr fb sync --config "$CONFIG"
		echo "$kind: exit $status $stderr"
		[ "$status" = 75 ] || [ "$status" = 78 ] || [ "$status" = 0 ]
		[ "$status" = 0 ] || says "$A"
		delivered "$B" "$T/sent/b"
		same "$(cd "$OUT" && find . -type f -exec cat {} + ; find "$OUT")" \
		    "$outside"
		rm -rf "$mark"
		cp -a "$T/mark" "$mark"
		repaired
	done
}

@test "foreign things in the stage stay, ours are not followed" {
	post
	expect 0 fb sync --config "$CONFIG"
	ln -s "$OUT/precious" "$A/fallbackmx.stage/link"
	ln "$OUT/precious" "$A/fallbackmx.stage/hard"
	mkfifo "$A/fallbackmx.stage/1.F$(printf %032d 1).fallbackmx,S=5"
	ln -s "$OUT/made" "$A/fallbackmx.stage/2.F$(printf %032d 2).fallbackmx,S=5"
	chown -h alice: "$A"/fallbackmx.stage/[12l]*
	outside=$(cat "$OUT/precious"; find "$OUT")
	post
	run --separate-stderr fb sync --config "$CONFIG"
	[ "$status" = 0 ] || [ "$status" = 75 ]
	delivered "$B" "$T/sent/b"
	same "$(cat "$OUT/precious"; find "$OUT")" "$outside"
	rm -f "$A/fallbackmx.stage/"*
	repaired
}

@test "a staged mail linked elsewhere by its owner is delivered once" {
	post
	expect 0 fb sync --config "$CONFIG"
	ses many "$T/sent/a" 100 100
	cp -a "$T/sent/a/." "$SRC/a"
	give "$ENGINE" "$SRC"
	background as alice sh -c 'mkdir -p "$2"; while sleep 0.001; do
		for f in "$1"/fallbackmx.stage/*; do
			ln "$f" "$2" 2>/dev/null
		done; done' sh "$A" "$T/alice/links"
	for n in 1 2 3; do
		run fb sync --config "$CONFIG"
	done
	stop
	expect 0 fb sync --config "$CONFIG"
	rm -rf "$T/alice/links"
	delivered "$A" "$T/sent/a"
}

# race PATH: swaps PATH with a link to the outside during 200 deliveries.
race() {
	local n
	ses many "$T/sent/a" 200 100
	ln -sfn "$OUT/new" "$T/alice/evil"
	chown -h alice: "$T/alice/evil"
	outside=$(tree "$OUT")
	background as alice "$FB_PYTHON" "$FB_HERE/race.py" swap 1200 \
	    "$1" "$T/alice/evil"
	for n in $(seq 100 10 290); do
		(cd "$T/sent/a" && cp -a "${IDS[@]:n:10}" "$SRC/a")
		give "$ENGINE" "$SRC"
		run --separate-stderr fb sync --config "$CONFIG"
		[ "$status" = 0 ] || [ "$status" = 75 ] || {
			echo "exit $status: $stderr"
			return 1
		}
	done
	kill -0 "$BG"		# it swapped until the end
	stop
	[ ! -L "$1" ] || { rm "$1"; mv "$T/alice/evil" "$1"; }
	same "$(tree "$OUT")" "$outside"
	expect 0 fb sync --config "$CONFIG"
	delivered "$A" "$T/sent/a"
	same "$(tree "$OUT")" "$outside"
}

@test "racer swaps new with a link to the outside, 200 deliveries (F41)" {
	race "$A/new"
}

@test "racer swaps the stage with a link to the outside (F41)" {
	mail a/0
	expect 0 fb sync --config "$CONFIG"
	race "$A/fallbackmx.stage"
}

@test "racer swaps the whole Maildir with a link to the outside (F41)" {
	chmod -R a+rwX "$OUT"
	race "$A"
}

@test "owners that are refused: uid 0, uid 50, nobody of that name (F42)" {
	for owner in toor root low no-such-user 50:50 0:0 61001:0; do
		rm -rf "$STATE"
		configuration '{ "state_dir": "@/var/state", "sources": [
		  { "url": "file://@/source/", "settle": 0, "mailboxes": [
		    { "prefix": "a/", "maildir": "@/open/Maildir",
		      "owner": "'$owner'" },
		    { "prefix": "b/", "maildir": "@/bob/Maildir",
		      "owner": "bob" } ] } ] }'
		mkdir -p -m 777 "$T/open"
		mail a/1
		mail b/1 "$(ses id 2)"
		rm -rf "$B"
		run --separate-stderr fb sync --config "$CONFIG"
		echo "$owner: exit $status $stderr"
		case $owner in
		61001:0)	# a plain uid with root's group is no way to root
			[ ! -e "$T/open/Maildir" ] ||
			    same "$(stat -c %u "$T/open/Maildir")" 61001 ;;
		*)
			[ "$status" = 75 ] || [ "$status" = 78 ]
			says "$T/open/Maildir" || says "'$owner'" || says "$owner"
			[ ! -e "$T/open/Maildir" ]
			[ -f "$SRC/a/1" ] ;;
		esac
		[ "$status" = 78 ] || delivered "$B" "$T/sent/b"
		rm -rf "$T/open" "$SRC/a" "$SRC/b"
	done
}

@test "owners that are served: a locked account, one without a home (F42)" {
	mkdir "$T/locked" "$T/spool" "$T/expired"
	chown locked: "$T/locked"
	chown expired: "$T/expired"
	chown homeless: "$T/spool"
	configuration '{ "state_dir": "@/var/state", "sources": [
	  { "url": "file://@/source/", "settle": 0, "mailboxes": [
	    { "prefix": "a/", "maildir": "@/locked/Maildir", "owner": "locked" },
	    { "prefix": "b/", "maildir": "@/spool/Maildir", "owner": "homeless" },
	    { "prefix": "c/", "maildir": "@/missing/Maildir", "owner": "bob" },
	    { "prefix": "d/", "maildir": "@/expired/Maildir", "owner": "expired" }
	  ] } ] }'
	mail a/1 "$(ses id 1)"
	mail b/2 "$(ses id 2)"
	mail c/3 "$(ses id 3)"
	mail d/4 "$(ses id 4)"
	expect 75 fb sync --config "$CONFIG"
	says "$T/missing"
	delivered "$T/locked/Maildir" "$T/sent/a"
	delivered "$T/spool/Maildir" "$T/sent/b"
	[ -f "$SRC/c/3" ]
	[ ! -e "$T/missing" ]
	says expired
	[ -f "$SRC/d/4" ]
	same "$(count "$T/expired")" 0
}

@test "the state directory or its files are links: refused" {
	mail a/1
	ln -s "$OUT" "$STATE"
	outside=$(tree "$OUT")
	run --separate-stderr fb sync --config "$CONFIG"
	[ "$status" != 0 ]
	same "$(tree "$OUT")" "$outside"
	rm "$STATE"
	mkdir -m 700 "$STATE"
	ln -s "$OUT/precious" "$STATE/ledger.db"
	give "$ENGINE" "$STATE"
	run --separate-stderr fb sync --config "$CONFIG"
	[ "$status" != 0 ]
	same "$(tree "$OUT")" "$outside"
	same "$(count "$SRC")" 1
}
