#!/usr/bin/env bats
# fallbackmx check on a Postfix: each mistake is named, and the line that it
# prints mends it. The Postfix is a configuration that postconf reads; the
# milter is the product's own. Run once started as root, once as a plain user.

load helpers
load check
load postfix

more_setup() {
	need postconf
	postfix_configuration
	milter_configuration
	milter_up
}

# mended: what the last run has said to paste makes the next one be well. There
# is no Postfix here that could be reloaded.
mended() {
	local line
	line=$(sed -n '/^\(FAILED\|warning\): /s/.* - \(postconf .*\)/\1/p' \
	    <<<"$output")
	same "$(grep -c . <<<"$line")" 1
	[[ "$line" == *" && postfix -c '$P' reload" ]]
	PATH=$PATH:/usr/sbin bash -c "${line% && postfix*}"
	check 0
	told "ok: listener: $1"
	! grep -qv '^ok: ' <<<"$output"
}

@test "check: Postfix asks the milter rightly, and reaches it" {
	right
	check 0
	lines_are ok:source ok:policies ok:postfix ok:listener ok:listener ok:listener \
	    ok:sendmail ok:socket
	told "smtp/inet asks unix:fallbackmx/milter.sock, last of 2"
	told "submission/inet does not ask the milter: what users send is not"
	told "127.0.0.1:10025/inet does not ask the milter"
	told "connects to unix:$SOCKET; milter protocol 6"
}

@test "check: nobody asks: the line to paste, with others before, by name" {
	check 78
	told "FAILED: listener: smtp/inet takes mail from outside and does not"
	mended "smtp/inet asks unix:fallbackmx/milter.sock"
	same "$(conf -h mx_milters)" "$OURS"
	# Others are there for all listeners.
	postfix_configuration
	conf -e 'smtpd_milters = unix:a/b, { inet:localhost:1, protocol=6 }'
	check 78
	mended "smtp/inet asks unix:fallbackmx/milter.sock, last of 3"
	same "$(conf -P -x smtp/inet/smtpd_milters)" \
	    "smtp/inet/smtpd_milters = unix:a/b, { inet:localhost:1, protocol=6 }, $OURS"
	told "submission/inet does not ask"
	# The service names a parameter of its own.
	postfix_configuration
	conf -e 'mine = unix:a/b'
	conf -P 'smtp/inet/smtpd_milters=$mine'
	check 78
	mended "smtp/inet asks unix:fallbackmx/milter.sock, last of 2"
	same "$(conf -h mine)" "unix:a/b, $OURS"
	# The usual name is taken.
	postfix_configuration
	conf -e 'mx_milters = unix:c/d'
	conf -P 'submission/inet/smtpd_milters=$mx_milters'
	check 78
	mended "smtp/inet asks unix:fallbackmx/milter.sock"
	same "$(conf -h mx_milters)" unix:c/d
	same "$(conf -h fallbackmx_milters)" "$OURS"
}

@test "check: postscreen: the listener behind it is the one" {
	conf -M# smtp/inet
	conf -M 'smtp/inet=smtp inet n - y - 1 postscreen' \
	    'smtpd/pass=smtpd pass - - y - - smtpd'
	check 78
	told "smtpd/pass takes mail from outside"
	mended smtpd/pass
	conf -M# smtpd/pass
	check 0
	told "warning: listener: no smtpd takes mail from outside"
}

@test "check: a path that a chroot makes another one" {
	conf -e "smtpd_milters = { unix:$SOCKET, default_action=tempfail }"
	check 78
	told "which is $Q$SOCKET for it (chroot); the milter listens at $SOCKET"
	# Said of each listener that has it.
	same "$(grep -c ^FAILED <<<"$output")" 3
	# Without the chroot it is right.
	for s in smtp submission 127.0.0.1:10025; do
		conf -F "$s/inet/chroot=n"
	done
	check 0
	told "ok: listener: smtp/inet asks unix:$SOCKET"
	# Both readings of "-".
	conf -F "smtp/inet/chroot=-"
	check 0
	conf -e compatibility_level=0
	check 78
	told "smtp/inet asks"
}

@test "check: a path that is no milter of ours" {
	conf -P 'smtp/inet/smtpd_milters=unix:run/fallbackmx.sock'
	check 78
	told "unix:run/fallbackmx.sock, which is $Q/run/fallbackmx.sock for it"
	mended smtp/inet
	conf -P 'smtp/inet/smtpd_milters=inet:127.0.0.1:1'
	check 78
	told "does not ask the milter"
}

@test "check: somebody stands behind the milter" {
	conf -e "mx_milters = $OURS, unix:opendkim/opendkim.sock"
	conf -P 'smtp/inet/smtpd_milters=$mx_milters'
	check 78
	told "asks unix:opendkim/opendkim.sock behind the milter"
	mended "smtp/inet asks unix:fallbackmx/milter.sock, last of 2"
	same "$(conf -h mx_milters)" "unix:opendkim/opendkim.sock, $OURS"
	conf -e "mx_milters = $OURS, $OURS"
	check 78
	told "asks the milter 2 times"
	mended smtp/inet
}

@test "check: default_action: accept, reject and typing errors are warned about" {
	action=default_action
	for how in accept reject tempfial; do
		postfix_configuration
		conf -e "smtpd_milters = { unix:fallbackmx/milter.sock, $action = $how }"
		conf -P submission/inet/smtpd_milters= \
		    127.0.0.1:10025/inet/smtpd_milters=
		check 0
		told "warning: listener: smtp/inet has default_action=$how"
		mended smtp/inet
		conf -e 'smtpd_milters = unix:fallbackmx/milter.sock' \
		    milter_default_action=$how
		check 0
		told "default_action=$how"
		mended smtp/inet
	done
	conf -e 'smtpd_milters = unix:fallbackmx/milter.sock' \
	    milter_default_action=tempfail
	check 0
	! grep -qv '^ok: ' <<<"$output"
}

@test "check: an old protocol" {
	right
	conf -e milter_protocol=2
	check 78
	told "speaks milter protocol 2"
	mended smtp/inet
	conf -e 'mx_milters = { unix:fallbackmx/milter.sock, protocol=4 }'
	check 78
	mended smtp/inet
}

@test "check: no_milters and a proxy on the port for strangers" {
	right
	conf -P smtp/inet/receive_override_options=no_milters
	check 78
	told "smtp/inet has no_milters: nobody is asked"
	mended smtp/inet
	postfix_configuration
	right
	conf -e 'receive_override_options = no_address_mappings, no_milters'
	check 78
	mended smtp/inet
	same "$(conf -P smtp/inet/receive_override_options)" \
	    "smtp/inet/receive_override_options = no_address_mappings"
	conf -P smtp/inet/receive_override_options= \
	    smtp/inet/smtpd_proxy_filter=127.0.0.1:10024
	check 78
	told "the milter gets envelopes alone"
}

@test "check: a content filter gives mail back: it is not asked twice" {
	conf -e "smtpd_milters = $OURS" content_filter=scan:127.0.0.1:10024 \
	    'receive_override_options = no_address_mappings'
	check 78
	told "127.0.0.1:10025/inet takes mail back from the content_filter"
	mended "127.0.0.1:10025/inet does not ask the milter"
	same "$(conf -P 127.0.0.1:10025/inet/receive_override_options)" \
	    "127.0.0.1:10025/inet/receive_override_options = no_milters,no_address_mappings"
	# The filter of one listener alone.
	postfix_configuration
	conf -e "smtpd_milters = $OURS"
	check 0
	told "127.0.0.1:10025/inet asks unix:fallbackmx/milter.sock; mail of"
	conf -P smtp/inet/content_filter=scan:127.0.0.1:10024
	check 78
}

@test "check: non_smtpd_milters, of main.cf and of a service" {
	right
	conf -e "non_smtpd_milters = unix:a/b, $OURS"
	check 78
	told "FAILED: sendmail: non_smtpd_milters has the milter"
	mended smtp/inet
	same "$(conf -h non_smtpd_milters)" unix:a/b
	conf -P 'cleanup/unix/non_smtpd_milters=unix:fallbackmx/milter.sock'
	check 78
	told "non_smtpd_milters of cleanup/unix has the milter"
	mended smtp/inet
}

@test "check: users' listeners may ask it, and then rightly" {
	right
	conf -e "mua_milters = ${OURS/tempfail/accept}"
	conf -P 'submission/inet/smtpd_milters=$mua_milters'
	check 0
	told "submission/inet has default_action=accept"
	mended submission/inet
	told "of the ingress point \"submission\""
}

@test "check: a Postfix that loses mail whose recipients are edited" {
	right
	conf -e enable_original_recipient=no
	check 78
	told "FAILED: postfix: enable_original_recipient is off"
	mended smtp/inet
	# What counts is what cleanup is told.
	conf -P cleanup/unix/enable_original_recipient=no
	check 78
	told "FAILED: postfix: enable_original_recipient is off in cleanup/unix"
	mended smtp/inet
	conf -e enable_original_recipient=no
	check 0
}

# client KEY: what the line of a table says, put in its place, is well.
client() {
	local line
	line=$(grep -F "for clients $1 smtpd_milter_maps" <<<"$output")
	[[ "$line" == "warning: listener: smtp/inet: for clients "*" - if it "*" line $2 of $P/maps: $1 "* ]]
	printf '%s\n' "${line#*"$P/maps: "}" >>"$P/good"
}

@test "check: other milters for some clients" {
	right
	cat >"$P/maps" <<-END
	# whom nobody is asked about
	192.0.2.0/24   DISABLE
	if 198.51.100.0/24
	198.51.100.1
	# in the middle

	   unix:a/b,
	   inet:localhost:1
	198.51.100.2 { unix:fallbackmx/milter.sock, default_action=tempfail }, unix:a/b
	endif
	203.0.113.1 unix:run/fallbackmx.sock
	203.0.113.2 unix:a/b, $OURS
	END
	conf -e "smtpd_milter_maps = cidr:$P/maps"
	check 0
	same "$(grep -c ^warning <<<"$output")" 4
	told "clients 192.0.2.0/24 smtpd_milter_maps says that nobody is asked"
	told "198.51.100.1 smtpd_milter_maps names other milters, not this one"
	told "198.51.100.2 smtpd_milter_maps does not name the milter once and"
	told "203.0.113.1 smtpd_milter_maps names a place where the milter is"
	: >"$P/good"
	client 192.0.2.0/24 2
	client 198.51.100.1 4
	client 198.51.100.2 9
	client 203.0.113.1 11
	mv "$P/good" "$P/maps"
	check 0
	told "ok: listener: smtp/inet: the 4 entries of smtpd_milter_maps cidr:"
	! grep -qv '^ok: ' <<<"$output"
	# Expressions, and what stands in the parameter itself.
	printf '%s\n' '/^mail (a|b)\/c/i DISABLE' '!/x/' " $OURS" >"$P/maps"
	conf -e "smtpd_milter_maps = inline:{ {a.example = DISABLE}, b.example=$OURS }, regexp:$P/maps static:{unix:a/b}"
	check 0
	same "$(grep -c ^warning <<<"$output")" 3
	told "clients a.example smtpd_milter_maps says that nobody is asked"
	told "line 1 of $P/maps: /^mail (a|b)"
	told "clients all smtpd_milter_maps names other milters"
	# What cannot be read.
	conf -e "smtpd_milter_maps = tcp:localhost:1, hash:$P/none"
	check 0
	told "cannot look into smtpd_milter_maps: tcp:localhost:1 is no table"
	told "cannot read $P/none: No such file"
}

@test "check: soft_bounce, and postconf's own warning" {
	right
	conf -e soft_bounce=yes
	check 0
	told "soft_bounce makes a refusal one for now"
	mended smtp/inet
	echo 'smtp_milters = unix:a/b' >>"$P/main.cf"
	check 0
	told "warning: postfix:"
	told smtp_milters
}

@test "check: the milter does not run, and has left its socket behind" {
	right
	milter_down
	rm -f "$SOCKET"
	check 75
	told "FAILED: socket: there is no $SOCKET"
	told "systemctl enable --now fallbackmx-milter.socket"
	"$FB_PYTHON" -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$SOCKET"
	chmod 777 "$SOCKET"
	check 75
	told "nobody listens at unix:$SOCKET"
	rm "$SOCKET"
	: >"$SOCKET"
	chmod 777 "$SOCKET"
	check 78
	told "$SOCKET is no socket"
}

@test "check: somebody else listens there" {
	right
	milter_down
	rm -f "$SOCKET"
	background "$FB_PYTHON" -c 'import socket, sys
import os
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    c = s.accept()[0]
    c.recv(100)
    c.sendall(b"220 hello, I am no milter\r\n")
    c.close()' "$SOCKET"
	wait_for test -S "$SOCKET"
	chmod 777 "$SOCKET"
	check 75
	told "no milter answers at unix:$SOCKET: it refuses"
}

@test "check: a link that leads out of the chroot" {
	right
	milter_down
	rm -f "$SOCKET"
	rmdir "$Q/fallbackmx"
	mkdir "$T/elsewhere"
	ln -s "$T/elsewhere" "$Q/fallbackmx"
	give "$CALLER" "$T/elsewhere"
	milter_up
	check 78
	told "$T/elsewhere/milter.sock lies outside of $Q"
	conf -F smtp/inet/chroot=n
	check 0
}

@test "check: no Postfix that could be read, no milter in the configuration" {
	expect 78 fb check --config "$CONFIG" --postfix-config "$T/none"
	told "FAILED: postfix: cannot read the configuration of Postfix"
	configuration '{}'
	expect 78 fb check --config "$CONFIG"
	told "FAILED: milter: there is none in the configuration"
	configuration '{"milter": {"socket": 7, "nonsense": 1}}'
	expect 78 fb check --config "$CONFIG" --postfix-config "$P"
	told "FAILED: milter: cannot use $CONFIG: 2 mistakes"
	says 'milter.socket'
	says nonsense
	printf '{"RuleSetName": 7}\n' >"$T/rules"
	chmod 644 "$T/rules"
	configuration "{\"milter\": {\"socket\": \"unix:$SOCKET\",
	    \"ingress_points\": [{\"name\": \"inbound\",
	     \"rule_set\": \"$T/rules\"}]}}"
	expect 78 fb check --config "$CONFIG" --postfix-config "$P"
	told "FAILED: policies: cannot use $CONFIG: "
	told "ok: socket"
	says "$T/rules: RuleSetName"
	expect 64 fb check --postfix-config "$P" "file://$SRC/"
}

@test "check: sources and milter: both are looked at, the worst code counts" {
	mail x
	configuration "{\"sources\": [{\"url\": \"file://$SRC/\",
	     \"mailboxes\": [{\"prefix\": \"\", \"maildir\": \"/m\"}]}],
	     \"milter\": {\"socket\": \"unix:$SOCKET\"}}"
	right
	check 0
	lines_are ok:source ok:list ok:read ok:delete ok:policies ok:postfix ok:listener \
	    ok:listener ok:listener ok:sendmail ok:socket
	conf -P smtp/inet/smtpd_milters=
	check 78
	told "ok: list"
}

@test "check: the pieces of postfix-conf are right" {
	for f in main master; do
		cat "$FB_TOP/postfix-conf/$f.cf" >>"$P/$f.cf.new"
	done
	# The pieces take the place of what is there.
	for s in smtp submission 127.0.0.1:10025; do
		conf -M# "$s/inet"
	done
	cat "$P/main.cf.new" >>"$P/main.cf"
	cat "$P/master.cf.new" >>"$P/master.cf"
	rm "$P"/*.new
	check 0
	lines_are ok:source ok:policies ok:postfix ok:listener ok:listener ok:listener \
	    ok:listener ok:sendmail ok:socket
	told "smtp/inet asks unix:fallbackmx/milter.sock, last of 3"
	told "465/inet does not ask the milter: what users send"
}

@test "README.md: the two files of the milter do what it says" {
	"$FB_PYTHON" - "$FB_TOP/README.md" "$T" <<-'END'
	import re, sys
	text = open(sys.argv[1]).read()
	text = text.split('## The milter')[1].split('\n## ')[0]
	policy, config = re.findall(r'```json\n(.*?)```', text, re.S)
	path = '/etc/fallbackmx/front-door.json'
	assert path in config
	open(sys.argv[2] + '/policy', 'w').write(policy)
	open(sys.argv[2] + '/readme.json', 'w').write(
	    config.replace(path, sys.argv[2] + '/policy'))
	END
	chmod 644 "$T/policy" "$T/readme.json"
	expect 0 fb config check --config "$T/readme.json"
	told "ingress_points=1"
	printf 'Subject: x\n\n' >"$T/mail"
	chmod 644 "$T/mail"
	expect 0 fb policy test --traffic-policy "$T/policy" \
	    --rcpt old@example.com --rcpt new@example.com "$T/mail"
	told "REJECT"
	told "denied by statement 0"
	told "ACCEPT"
	# The line to paste is the one that check prints.
	check 78
	line=$(sed -n 's/^FAILED: listener: .* - \(postconf .*\)/\1/p' \
	    <<<"$output" | sed "s| -c '$P'||g")
	grep -qF "    $line" "$FB_TOP/README.md"
}
