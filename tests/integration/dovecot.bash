# A Dovecot for all tests of a file: the user t.XXXXXX has the Maildir of that
# test. Loaded after helpers; dovecot_up in setup_file, dovecot_down in
# teardown_file, need_dovecot in each test that uses it.

dovecot_up() {
	export DOVECOT D=$FB_WORLD/dovecot PORT=
	command -v dovecot >/dev/null || return 0
	# Debian 13 has 2.4, whose configuration is another language
	DOVECOT=$(dovecot --version)
	OWNER=alice CALLER=root
	[ "$FB_MODE" = root ] || CALLER=alice
	[ -n "$FB_ROOT" ] || OWNER=$(id -un) CALLER=$(id -un)
	mkdir -m 755 "$D"
	[ "$CALLER" = root ] || give "$CALLER" "$D"
	dovecot_start
}

dovecot_down() {
	[ -z "$DOVECOT" ] || dovecot_stop
	rm -rf "$D"
}

need_dovecot() { need dovecot; }

imap() { # VERB ARGUMENTS...
	as "$OWNER" "$FB_PYTHON" "$FB_HERE/imap.py" "$1" $PORT "${T##*/}" \
	    "${@:2}"
}

dovecot_configuration() { # PORT
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

dovecot_start() {
	local try n
	for try in 1 2 3; do
		# Below the range that the kernel gives to clients.
		PORT=$("$FB_PYTHON" -c 'import random, socket
while True:
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(10000, 32000)))
        break
    except OSError:
        pass
print(s.getsockname()[1])')
		{ [[ "$DOVECOT" == 2.3* ]] || printf '%s\n' \
		    "dovecot_config_version = ${DOVECOT%%[- ]*}" \
		    "dovecot_storage_version = ${DOVECOT%%[- ]*}"
		  dovecot_configuration "$PORT"; } >"$D/dovecot.conf"
		chmod 644 "$D/dovecot.conf"
		# Never into a pipe: the server would keep it open.
		as "$CALLER" dovecot -c "$D/dovecot.conf" \
		    </dev/null >"$D/start" 2>&1 3>&- 4>&- || continue
		for n in $(seq 2000); do
			(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null &&
			    return
			sleep 0.02
		done
	done
	cat "$D/start" "$D/log"
	return 1
}

dovecot_stop() {
	local pid n
	[ -f "$D/run/master.pid" ] || return 0
	pid=$(cat "$D/run/master.pid")
	kill "$pid" 2>/dev/null || return 0
	for n in $(seq 2000); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.02
	done
	kill -KILL "$pid"
}

content() { # the server has nothing to complain about with this user
	! grep -F "${T##*/}" "$D/log" | grep -E 'Error|Warning|Panic|Fatal'
}
