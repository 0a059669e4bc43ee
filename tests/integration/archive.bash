# What the suites of fallbackmx archive share. Loaded behind helpers.

more_setup() {
	A=$T/archives
	mkdir -m 755 "$A" "$A/main" "$A/legal"
	give "$CALLER" "$A" "$A/main" "$A/legal"
	mkdir -m 777 "$T/out"
	give "$CALLER" "$T/out"
	LAST=
}

append() { # DIR [ARGUMENTS...]: as the caller; lines in $T/appended
	as "$CALLER" "$FB_BUILD/tests/journal/appender" --free-mib 1 "$@" \
	    </dev/null >"$T/appended"
}

archive() { # WORD ARGUMENTS...
	fb archive "$1" --archive "$A" "${@:2}"
}

message() { # FILE TEXT: printf's escapes
	# shellcheck disable=SC2059
	printf "$2" >"$T/$1"
	chmod 644 "$T/$1"
}

# one TEXT: a message of its own in legal; its id in $ID.
one() {
	message mail "$1"
	append "$A/legal" "$T/mail"
	ID=legal/$(head -n 1 "$T/appended" | cut -d' ' -f1)
}
