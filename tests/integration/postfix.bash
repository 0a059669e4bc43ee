# A Postfix configuration of a test's own, for postconf, and the milter.
# Loaded behind helpers. $P is the configuration's directory, $Q the queue's,
# $SOCKET the milter's socket below it.

OURS='{ unix:fallbackmx/milter.sock, default_action=tempfail }'

postfix_configuration() {
	# As root the real one; a plain user is Postfix himself.
	OWNER_OF_MAIL=postfix
	[ "$CALLER" = root ] || OWNER_OF_MAIL=$CALLER
	P=$T/postfix Q=$T/queue SOCKET=$T/queue/fallbackmx/milter.sock
	mkdir -p "$P" "$Q/fallbackmx"
	cat >"$P/main.cf" <<-END
	compatibility_level = 3.6
	queue_directory = $Q
	data_directory = $T/data
	mail_owner = $OWNER_OF_MAIL
	myhostname = mx.example.org
	mydestination = localhost
	alias_maps =
	alias_database =
	END
	cat >"$P/master.cf" <<-END
	smtp inet n - y - - smtpd
	submission inet n - y - - smtpd
	 -o syslog_name=postfix/submission
	127.0.0.1:10025 inet n - y - - smtpd
	cleanup unix n - y - 0 cleanup
	smtp unix - - y - - smtp
	END
	chmod 755 "$P" "$Q" "$Q/fallbackmx"
	chmod 644 "$P"/*.cf
}

conf() {
	PATH=$PATH:/usr/sbin postconf -c "$P" "$@"
	rested
}

# Postfix waits up to two seconds before it believes a file that is written.
rested() {
	touch -d '1 minute ago' "$P"/*.cf
}

# check CODE [OPTION...]
check() {
	local code=$1
	shift
	[ ! -d "$P" ] || rested
	expect "$code" fb check --config "$CONFIG" --postfix-config "$P" "$@"
	[ -z "$stderr" ]
}

# The usual set-up: the strangers' port asks, others before the milter.
right() {
	conf -e "mx_milters = unix:opendkim/opendkim.sock, $OURS"
	conf -P 'smtp/inet/smtpd_milters=$mx_milters'
}

# The milter, on $SOCKET, for the group of Postfix's user.
milter_up() {
	give "$CALLER" "$P"
	mkdir -p "$T/control"
	give "$ENGINE" "$T/control"
	[ "$CALLER" = root ] || give "$CALLER" "$Q/fallbackmx"
	background as "$CALLER" "$FB_BIN/fallbackmx-milter" --config "$CONFIG" \
	    --user fallbackmx
	MILTER=$BG
	wait_for milter_is_up
}

milter_is_up() {
	ended "$MILTER" && cat "$T/bg.err" && return 1
	[ -S "$SOCKET" ] && [ -S "$T/control/socket" ]
}

milter_down() {
	local p all
	all=$(family "$MILTER")
	kill -TERM $all
	for p in $all; do wait_for ended "$p"; done
}

# What the milter's object needs here; $MORE is more of it.
milter_configuration() {
	configuration "{\"milter\": {\"socket\": \"unix:$SOCKET\",
	    \"socket_group\": \"$(id -gn "$OWNER_OF_MAIL")\",
	    \"control_socket\": \"$T/control/socket\"${MORE-}}}"
}
