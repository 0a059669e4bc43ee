#!/usr/bin/env bats
# fallbackmx check as root: can the user postfix reach the milter's socket?

load helpers
load check
load postfix

more_setup() {
	need postconf
	postfix_configuration
	milter_configuration
	milter_up
}

@test "check: Postfix may not enter, or not connect" {
	need_root
	right
	chmod 600 "$SOCKET"
	check 77
	told "the user postfix may not connect to $SOCKET (mode 0600"
	told "chgrp postfix $SOCKET && chmod 0660 $SOCKET"
	chgrp postfix "$SOCKET" && chmod 0660 "$SOCKET"
	check 0
	told "ok: socket: the user postfix connects"
	chmod 700 "$Q/fallbackmx"
	chgrp root "$Q/fallbackmx"
	check 77
	told "the user postfix may not enter $Q/fallbackmx (mode 0700"
	told "chgrp postfix $Q/fallbackmx && chmod g+x $Q/fallbackmx"
	chgrp postfix "$Q/fallbackmx" && chmod g+x "$Q/fallbackmx"
	check 0
	# Another user looks: told from the rights.
	CALLER=bob
	chmod 755 "$Q/fallbackmx"
	check 0
	told "by its rights the user postfix may connect"
	chmod 750 "$Q/fallbackmx"
	check 0
	told "warning: socket: cannot look at $SOCKET as uid"
}
