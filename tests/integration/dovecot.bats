#!/usr/bin/env bats
# What Dovecot makes of an imported Maildir: a real server on loopback, with
# its own files inside the Maildir as everywhere. Run once as root, once as a
# plain user, server and import alike.

load helpers

# One server for all tests: the user t.XXXXXX has the Maildir of that test.
setup_file() {
	export DOVECOT D=$FB_WORLD/dovecot PORT=
	command -v dovecot >/dev/null || return 0
	# Debian 13 has 2.4, whose configuration is another language
	DOVECOT=$(dovecot --version)
	OWNER=alice CALLER=root
	[ "$FB_MODE" = root ] || CALLER=alice
	[ -n "$FB_ROOT" ] || OWNER=$(id -un) CALLER=$(id -un)
	mkdir -m 755 "$D"
	[ "$CALLER" = root ] || give "$CALLER" "$D"
	up
}
teardown_file() {
	[ -z "$DOVECOT" ] || down
	rm -rf "$D"
}
more_setup() { need dovecot; }

imap() { # VERB ARGUMENTS...
	as "$OWNER" "$FB_PYTHON" "$FB_HERE/imap.py" "$1" $PORT "${T##*/}" \
	    "${@:2}"
}

configure() { # PORT
	local internal=$CALLER login=$CALLER unjailed='chroot ='
	if [ "$CALLER" = root ]; then
		internal=dovecot login=dovenull unjailed=
	fi
	cat <<-END
	base_dir = $D/run
	state_dir = $D/state
	log_path = $D/log
	default_internal_user = $internal
	default_internal_group = $(id -gn "$internal")
	default_login_user = $login
	ssl = no
	protocols = imap
	listen = 127.0.0.1
	first_valid_uid = 1
	service imap-login {
	  inet_listener imap {
	    port = $1
	  }
	  inet_listener imaps {
	    port = 0
	  }
	  $unjailed
	}
	service anvil {
	  $unjailed
	}
	END
	if [[ "$DOVECOT" == 2.3* ]]; then
		cat <<-END
		disable_plaintext_auth = no
		auth_username_format = %u
		mail_location = maildir:$FB_WORLD/%u/home/Maildir
		passdb {
		  driver = static
		  args = password=pass
		}
		userdb {
		  driver = static
		  args = uid=$(id -u "$OWNER") gid=$(id -g "$OWNER") home=$FB_WORLD/%u/home
		}
		END
	else
		cat <<-END
		auth_allow_cleartext = yes
		mail_driver = maildir
		auth_username_format = %{user}
		mail_path = $FB_WORLD/%{user}/home/Maildir
		passdb static {
		  password = pass
		}
		userdb static {
		  fields {
		    uid = $(id -u "$OWNER")
		    gid = $(id -g "$OWNER")
		    home = $FB_WORLD/%{user}/home
		  }
		}
		END
	fi
}

up() {
	local try n
	for try in 1 2 3; do
		PORT=$("$FB_PYTHON" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		{ [[ "$DOVECOT" == 2.3* ]] || printf '%s\n' \
		    "dovecot_config_version = ${DOVECOT%% *}" \
		    "dovecot_storage_version = ${DOVECOT%% *}"
		  configure "$PORT"; } >"$D/dovecot.conf"
		chmod 644 "$D/dovecot.conf"
		# Never into a pipe: the server would keep it open.
		as "$CALLER" dovecot -c "$D/dovecot.conf" \
		    </dev/null >"$D/start" 2>&1 3>&- 4>&- || continue
		for n in $(seq 500); do
			(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null &&
			    return
			sleep 0.02
		done
	done
	cat "$D/start" "$D/log"
	return 1
}

down() {
	local pid n
	[ -f "$D/run/master.pid" ] || return 0
	pid=$(cat "$D/run/master.pid")
	kill "$pid" 2>/dev/null || return 0
	for n in $(seq 500); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.02
	done
	kill -KILL "$pid"
}

content() { # the server has nothing to complain about with this user
	! grep -F "${T##*/}" "$D/log" | grep -E 'Error|Warning|Panic|Fatal'
}

@test "Dovecot: count, bytes, INTERNALDATE, oldest first" {
	mkdir "$T/sent"
	ses shapes "$T/sent"
	ses many "$T/sent" 60 5000
	cp -a "$T/sent/." "$SRC"
	give "$ENGINE" "$SRC"
	expect 0 fb_sync
	same "$(imap count)" "$(count "$T/sent")"
	imap check "$T/sent"
	# opened, but neither changed nor doubled
	delivered
	content
}

@test "Dovecot: the stage directory is no folder" {
	mails 1
	expect 0 fb_sync
	same "$(imap folders)" "['INBOX']"
}

@test "Dovecot: a client in IDLE sees the import" {
	mails 1
	expect 0 fb_sync
	background imap idle 41
	wait_for grep -q ready "$T/bg.out"
	mails 40 1
	expect 0 fb_sync
	wait "$BG"
	imap check "$T/sent"
	content
}

@test "Dovecot: a client that asks (NOOP) sees the import" {
	background imap noop 40
	wait_for grep -q ready "$T/bg.out"
	mails 40
	expect 0 fb_sync
	wait "$BG"
	imap check "$T/sent"
	content
}

@test "Dovecot: flagged, moved and expunged mail does not come back" {
	mails 6
	expect 0 fb_sync --keep
	imap use
	same "$(imap count)" 4
	before=$(find "$MD" -name '*.fallbackmx,S=*' | sort)
	expect 0 fb_sync --keep --json
	counted listed=6 imported=0 skipped=6
	same "$(imap count)" 4
	expect 0 fb_sync --json
	counted listed=6 imported=0 skipped=6 deleted=6
	same "$(find "$MD" -name '*.fallbackmx,S=*' | sort)" "$before"
	expect 0 fb_sync --audit
	content
}

@test "Dovecot: a server that has read the Maildir between imports" {
	for n in 0 100 200 300; do
		mails 20 "$n"
		expect 0 fb_sync
		imap check "$T/sent"
		same "$(imap count)" $((n / 5 + 20))
	done
	content
}
