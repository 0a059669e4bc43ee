#!/usr/bin/env bats
# What Dovecot makes of an imported Maildir: a real server on loopback, with
# its own files inside the Maildir as everywhere. Run once as root, once as a
# plain user, server and import alike.

load helpers
load dovecot

setup_file() { dovecot_up; }
teardown_file() { dovecot_down; }
more_setup() { need_dovecot; }

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
