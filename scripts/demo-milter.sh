# shellcheck shell=bash disable=SC2154
#
# Sourced by scripts/demo: mail that a private Postfix asks the milter about.
# Of the demo's own it uses world, build, top, as_user, say, die, as_root. What
# it starts is stopped by milter_end, which the demo calls whatever happens.

mx=$world/mx
postfix='' filter='' answer=''

milter_end() {
	# Its standard input ends: it takes its Postfix along.
	[ -z "$postfix" ] || exec 9>&-
	[ -z "$filter" ] || kill "$filter" 2>/dev/null
	# shellcheck disable=SC2086
	[ -z "$postfix$filter" ] || wait $postfix $filter 2>/dev/null
	postfix='' filter=''
	[ ! -d "$mx/postfix" ] || as_root rm -rf --one-file-system "$mx/postfix"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
	local port n
	for n in {1..50}; do
		port=$((20000 + RANDOM % 12000 + n))
		listens $port || break
	done
	echo $port
}

wait_until() { # COMMAND...: at most 20 s
	local n
	for n in {1..400}; do
		"$@" && return
		sleep 0.05
	done
	return 1
}

milter_start() {
	# It ends with the demo, however that ends.
	"${as_user[@]}" setpriv --pdeathsig TERM \
	    "$world/bin/fallbackmx-milter" --verbose \
	    --config "$mx/fallbackmx.json" >>"$mx/milter.log" 2>&1 9>&- &
	filter=$!
	wait_until test -S "$mx/run/control.sock" || {
		cat "$mx/milter.log"
		die "the milter does not start"
	}
}

milter_stop() {
	kill "$filter"
	wait "$filter"
	filter=''
}

postfix_start() {
	mkfifo "$mx/life" || return 1
	# Open for both, or either would wait for the other.
	exec 9<>"$mx/life"
	as_root "$top/scripts/demo-postfix" "$mx/postfix" "$port" "$milter" \
	    <"$mx/life" >"$mx/postfix.log" 2>&1 9>&- &
	postfix=$!
	wait_until listens "$port" && return
	cat "$mx/postfix.log"
	as_root cat "$mx/postfix/start" "$mx/postfix/maillog"
	die "Postfix does not start"
}

hear() { # an answer, shown
	local line=''
	while IFS= read -r -t 30 -u 7 line; do
		echo "  S: ${line%$'\r'}"
		[[ $line == ???-* ]] || break
	done
	answer=${line:0:3}
}

speak() {
	echo "  C: $1"
	printf '%s\r\n' "$1" >&7
	hear
}

# smtp CLIENT RECIPIENT: the letter, as from that address; $answer is the last
# code.
smtp() {
	exec 7<>"/dev/tcp/127.0.0.1/$port" || die "Postfix does not answer"
	hear >/dev/null
	speak "EHLO mail.example.net" >/dev/null
	speak "XCLIENT ADDR=$1 NAME=[UNAVAILABLE]" >/dev/null
	speak "EHLO mail.example.net" >/dev/null
	echo "  (a client at $1)"
	speak "MAIL FROM:<sender@example.net>"
	[ "$answer" != 250 ] || speak "RCPT TO:<$2>"
	if [ "$answer" = 250 ]; then
		speak DATA
		sed 's/^\./../; s/$/\r/' "$mx/letter" >&7
		speak .
	fi
	printf 'QUIT\r\n' >&7
	exec 7>&-
}

letter() { # SUBJECT
	printf '%s\n' "Date: Fri, 27 Jan 2023 12:00:00 +0000" \
	    "From: Sender <sender@example.net>" "To: you@example.com" \
	    "Subject: $1" "Message-ID: <milter-$RANDOM@example.net>" \
	    "X-FallbackMX: route=direct; ingress=forged" "" \
	    "Hello." >"$mx/letter"
}

delivered() {
	as_root find "$mx/postfix/mail" -path '*/new/*' -type f 2>/dev/null |
		wc -l
}
arrived() { [ "$(delivered)" = "$1" ]; }

show_newest() {
	as_root find "$mx/postfix/mail" -path '*/new/*' -type f \
	    -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2 |
		while read -r file; do as_root head -n 16 "$file"; done
}

fallbackmx() { # what it says is in $mx/said, too
	echo "\$ fallbackmx ${*//"$mx/"/}"
	"${as_user[@]}" "$world/bin/fallbackmx" "$@" 2>&1 |
		sed "s|$mx/||g" | tee "$mx/said"
}
said() { grep -q "$1" "$mx/said"; }

# milter_policy INGRESS MORE: the configuration, with more of the ingress point
# and of the milter.
milter_policy() {
	cat >"$mx/fallbackmx.json" <<-END
	{"milter": {
	  "socket": "inet:127.0.0.1:$milter",
	  "control_socket": "$mx/run/control.sock",$2
	  "ingress_points": [{"name": "inbound"$1}]}}
	END
}

policies=", \"traffic_policy\": \"$mx/traffic.json\",
    \"rule_set\": \"$mx/rules.json\""
archive="
  \"archive\": {\"directory\": \"$mx/archive\", \"default\": \"all\",
    \"free\": 1},"

milter_prepare() {
	mkdir -p "$mx/run" "$mx/archive" || return 1
	cp "$build/fallbackmx-milter" "$world/bin/" || return 1
	chmod 755 "$world/bin/fallbackmx-milter"
	[ "$(id -u)" != 0 ] || chown nobody:nogroup "$mx/run" "$mx/archive"
	port=$(free_port) milter=$(free_port)
	while [ "$milter" = "$port" ]; do milter=$(free_port); done
	cat >"$mx/traffic.json" <<-'END'
	{"TrafficPolicyName": "front-door",
	 "PolicyStatements": [
	  {"Action": "ALLOW", "Conditions": [{"StringExpression": {
	    "Evaluate": {"Attribute": "RECIPIENT"},
	    "Operator": "ENDS_WITH", "Values": ["@example.com"]}}]},
	  {"Action": "DENY", "Conditions": [{"IpExpression": {
	    "Evaluate": {"Attribute": "SENDER_IP"},
	    "Operator": "CIDR_MATCHES", "Values": ["198.51.100.0/24"]}}]}],
	 "DefaultAction": "DENY"}
	END
	cat >"$mx/rules.json" <<-'END'
	{"RuleSetName": "inbound",
	 "Rules": [
	  {"Name": "prizes",
	   "Conditions": [{"StringExpression": {
	     "Evaluate": {"Attribute": "SUBJECT"},
	     "Operator": "CONTAINS", "Values": ["you have won"]}}],
	   "Actions": [{"Reject": {
	     "DiagnosticMessage": "We did not take part"}}]},
	  {"Name": "from-outside",
	   "Actions": [{"AddHeader": {
	     "HeaderName": "X-Origin", "HeaderValue": "outside"}}]}]}
	END
	chmod 644 "$mx"/*.json
}

archive_demo() {
	say "An archive of all mail: on the disk before the sender hears 250"
	milter_policy "$policies" "$archive"
	fallbackmx reload --config "$mx/fallbackmx.json"
	letter "Invoice 4711"
	smtp 192.0.2.7 you@example.com
	[ "$answer" = 250 ] || die "that mail should be taken"
	wait_until arrived 3 || die "the mail was not delivered"
	echo
	fallbackmx archive list --archive "$mx/archive/all" \
	    --header subject=invoice
	said '<sender@example.net> <you@example.com>' ||
		die "that mail should be in the archive"
	echo
	fallbackmx archive show --archive "$mx/archive/all" \
	    "$(cut -d' ' -f1 "$mx/said")"
	said '^Subject: Invoice 4711' || die "that should be the mail"

	say "Is every byte as it was written? And after a change of one name?"
	fallbackmx archive verify --archive "$mx/archive/all"
	said ': as it was written: 1 message,' || die "nothing was changed"
	cp -a "$mx/archive" "$mx/copy" &&
	    LC_ALL=C sed -i 's/sender@example/forged@example/' \
		"$mx/copy/all"/*.segment || die "cannot change a copy"
	echo
	fallbackmx archive verify --archive "$mx/copy/all"
	said ': WRONG:' || die "that was changed"
}

milter_demo() {
	say "A Postfix of its own on 127.0.0.1:$port, and the milter beside it"
	milter_policy '' ''
	milter_start
	postfix_start
	fallbackmx check --config "$mx/fallbackmx.json" \
	    --postfix-config "$mx/postfix/conf"

	say "Without any policy mail is accepted and tagged"
	letter "The first one"
	smtp 192.0.2.7 you@example.com
	wait_until arrived 1 || die "the mail was not delivered"
	show_newest
	echo
	echo "The tag is the top line; the one that the sender had put there" \
	    "is gone."

	say "A traffic policy and a rule set of Mail Manager, while it runs"
	milter_policy "$policies" ''
	fallbackmx policy check "$mx/traffic.json" "$mx/rules.json"
	fallbackmx reload --config "$mx/fallbackmx.json"
	echo
	smtp 192.0.2.7 you@example.com
	[ "$answer" = 250 ] || die "that mail should be taken"
	wait_until arrived 2 || die "the mail was not delivered"
	echo
	show_newest | grep -E '^X-'

	say "Refused: a client, a recipient, and a mail by what it says"
	smtp 198.51.100.9 you@example.com
	[ "$answer" = 550 ] || die "that client should be refused"
	smtp 192.0.2.7 somebody@example.org
	[ "$answer" = 550 ] || die "that recipient should be refused"
	letter "Dear friend, you have won"
	smtp 192.0.2.7 you@example.com
	[ "$answer" = 550 ] || die "that mail should be refused"

	say "Why? The same policies on the same mail, without a server"
	fallbackmx policy test --traffic-policy "$mx/traffic.json" \
	    --rule-set "$mx/rules.json" --client-ip 192.0.2.7 \
	    --rcpt you@example.com "$mx/letter"

	say "What the log says, a line for each"
	sed -n 's/^fallbackmx-milter: \(.*result=.*\)/\1/p' "$mx/milter.log"

	archive_demo

	say "A milter that is down loses nothing: the sender tries again"
	milter_stop
	letter "Come again"
	smtp 192.0.2.7 you@example.com
	[ "${answer:0:1}" = 4 ] || die "that should be refused for now"
	milter_start
	echo "  ... and it is back:"
	smtp 192.0.2.7 you@example.com
	[ "$answer" = 250 ] || die "that mail should be taken"
	wait_until arrived 4 || die "the mail was not delivered"
	echo "Delivered: $(delivered), none lost, none doubled."
	echo
	fallbackmx archive list --archive "$mx/archive/all"
	[ "$(wc -l <"$mx/said")" = 2 ] || die "both should be in the archive"
	milter_end
}
