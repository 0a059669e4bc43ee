#!/usr/bin/env bats
# What make install brings, and whether its pieces fit together.

load helpers

# Once for all: everything below $FB_WORLD/dest.
setup_file() {
	export DEST=$FB_WORLD/dest
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$FB_BUILD" \
	    install DESTDIR="$DEST" >"$FB_WORLD/install.log" 2>&1 || {
		cat "$FB_WORLD/install.log"
		return 1
	}
}
teardown_file() { rm -rf "$DEST"; }

found() { # NAME: the one installed file whose path ends so
	local all
	all=$(find "$DEST" -type f -path "*/$1")
	[ -n "$all" ] && [ "$(wc -l <<<"$all")" = 1 ] || {
		echo "installed as $1: ${all:-nothing}" >&2
		return 1
	}
	echo "$all"
}

@test "install: programs, units, users, tmpfiles, manuals, examples" {
	for f in bin/fallbackmx libexec/fallbackmx/fallbackmx-deliver \
	    system/fallbackmx-sync.service system/fallbackmx-sync.timer \
	    sbin/fallbackmx-milter \
	    system/fallbackmx-milter.service \
	    system/fallbackmx-milter.socket \
	    system/fallbackmx-prune.service system/fallbackmx-prune.timer \
	    sysusers.d/fallbackmx.conf tmpfiles.d/fallbackmx.conf \
	    sysusers.d/fallbackmx-milter.conf \
	    tmpfiles.d/fallbackmx-milter.conf \
	    examples/postfix-conf/README.md examples/postfix-conf/main.cf \
	    examples/postfix-conf/master.cf \
	    man1/fallbackmx.1 man1/fallbackmx-check.1 \
	    man1/fallbackmx-sync.1 man8/fallbackmx-deliver.8 \
	    man8/fallbackmx-milter.8 \
	    man5/fallbackmx.json.5 \
	    doc/fallbackmx/README.md doc/fallbackmx/LICENSE \
	    doc/fallbackmx/NEWS.md examples/fallbackmx-sync.cron \
	    examples/fallbackmx.json.example examples/aws/README.md \
	    examples/aws/fallbackmx.yaml examples/aws/rules; do
		found "$f"
	done
}

@test "install: modes, no special bits, nothing in etc, var or home" {
	same "$(find "$DEST" -type f -perm /7022)" ""
	same "$(find "$DEST" ! -type f ! -type d)" ""
	for f in "$(found bin/fallbackmx)" \
	    "$(found sbin/fallbackmx-milter)" \
	    "$(found fallbackmx/fallbackmx-deliver)"; do
		same "$(stat -c %a "$f")" 755
	done
	for d in etc var home root; do
		[ ! -e "$DEST/$d" ]
	done
	! grep -rlE '@[a-z]+@|\$\{(prefix|exec_prefix)' "$DEST" --include='*.*'
}

@test "install: the installed program finds its deliverer" {
	where=$(find "$DEST" -type d -path '*/libexec/fallbackmx')
	grep -qF "${where#"$DEST"}" "$(found bin/fallbackmx)"
}

@test "install: the installed programs run" {
	expect 0 "$(found bin/fallbackmx)" --version
	same "$output" "fallbackmx $(sed -n \
	    's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' "$FB_BUILD/config.h")"
	expect 64 "$(found fallbackmx/fallbackmx-deliver)"
}

@test "install: uninstall takes everything away again" {
	cp -a "$DEST" "$T/dest"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$FB_BUILD" \
	    uninstall DESTDIR="$T/dest" >"$T/log" 2>&1 || {
		cat "$T/log"
		return 1
	}
	same "$(find "$T/dest" -type f)" ""
}

@test "the example configuration is one" {
	cp "$(found examples/fallbackmx.json.example)" "$T/example.json"
	chmod 644 "$T/example.json"
	expect 0 "$(found bin/fallbackmx)" config check \
	    --config "$T/example.json"
	same "$stderr" ""
	expect 0 "$(found bin/fallbackmx)" config show --config "$T/example.json"
}

@test "the cron file: five fields, a user, a command that exists" {
	cron=$(found examples/fallbackmx-sync.cron)
	"$FB_PYTHON" - "$cron" "$(found bin/fallbackmx)" <<-'END'
	import os, re, subprocess, sys
	text = open(sys.argv[1]).read()
	assert text.endswith('\n'), 'cron passes over a last line without end'
	env, jobs = {}, []
	limits = (59, 23, 31, 12, 7)
	for line in text.splitlines():
	    if not line.strip() or line.startswith('#'):
	        continue
	    m = re.fullmatch(r'([A-Z]+)=(.*)', line)
	    if m:
	        env[m[1]] = m[2]
	        continue
	    fields = line.split(None, 6)
	    assert len(fields) == 7, line
	    for field, top in zip(fields, limits):
	        m = re.fullmatch(r'(\*|\d+(?:-\d+)?)(?:/(\d+))?', field)
	        assert m, field
	        assert all(int(n) <= top for n in re.findall(r'\d+', field))
	    jobs.append(fields[5:])
	assert len(jobs) == 1, jobs
	user, command = jobs[0]
	assert user == 'root', user
	assert '%' not in command, 'a bare % is a new line for cron'
	words = command.split()
	assert os.path.basename(words[0]) == 'fallbackmx'
	if words[0][0] != '/':
	    assert '/usr/local/bin' in env['PATH'] and '/usr/bin' in env['PATH']
	# the words after it are taken by the program
	r = subprocess.run([sys.argv[2]] + words[1:] + ['--help'])
	assert r.returncode == 0, command
	END
}

@test "systemd-analyze verify has nothing to say" {
	need systemd-analyze
	mkdir -p "$T/units"
	for unit in sync prune; do
		cp "$(found system/fallbackmx-$unit.service)" \
		    "$(found system/fallbackmx-$unit.timer)" "$T/units"
		# the program is not installed on this machine
		sed -i "s|^ExecStart=[^ ]*|ExecStart=$FB_BIN/fallbackmx|" \
		    "$T/units/fallbackmx-$unit.service"
	done
	cp "$(found system/fallbackmx-milter.service)" \
	    "$(found system/fallbackmx-milter.socket)" "$T/units"
	sed -i -e "s|^ExecStart=.*|ExecStart=$(found sbin/fallbackmx-milter)|" \
	    -e "s|^ExecReload=[^ ]*|ExecReload=$(found bin/fallbackmx)|" \
	    "$T/units/fallbackmx-milter.service"
	for unit in sync.service sync.timer milter.service milter.socket \
	    prune.service prune.timer; do
		expect 0 systemd-analyze verify --man=no \
		    "$T/units/fallbackmx-$unit"
		! grep -F fallbackmx <<<"$stderr$output"
	done
}

@test "the service starts the program where it was installed" {
	bin=$(found bin/fallbackmx)
	grep -qF "ExecStart=${bin#"$DEST"} sync" \
	    "$(found system/fallbackmx-sync.service)"
	grep -qFx "ExecStart=${bin#"$DEST"} archive prune --remembered" \
	    "$(found system/fallbackmx-prune.service)"
	bin=$(found sbin/fallbackmx-milter)
	grep -qFx "ExecStart=${bin#"$DEST"}" \
	    "$(found system/fallbackmx-milter.service)"
}

@test "the prune unit: its command prunes as the owner of the archives" {
	# Without root the user who runs this owns them.
	[ -z "$FB_ROOT" ] || CALLER=alice
	read -r _ words < <(grep '^ExecStart=' \
	    "$(found system/fallbackmx-prune.service)")
	mkdir -m 755 "$T/archives"
	mkdir -m 750 "$T/archives/all"
	give "$CALLER" "$T/archives"
	echo '{"ArchiveName": "all"}' >"$T/document"
	chmod 644 "$T/document"
	for days in 400 0; do
		as "$CALLER" "$FB_BUILD/tests/journal/appender" --free-mib 1 \
		    --days $days --count 2 "$T/archives/all" </dev/null
	done
	# Root says how long; what root made must not be in the owner's way.
	expect 0 "$FB_BIN/fallbackmx" archive prune --archive "$T/archives" \
	    --document "$T/document"
	for f in "$T"/archives/all/*.pruned-*; do
		mv "$f" "${f%.pruned-*}.segment"
	done
	# shellcheck disable=SC2086
	expect 0 fb $words --archive "$T/archives" -v
	[[ "$output" == *"segment 1 pruned"* ]]
	expect 0 fb archive verify --archive "$T/archives"
}

@test "systemd: exposure of the services at most 2.2, 0.5 and 0.5" {
	need systemd-analyze
	for unit in sync:2.2 milter:0.5 prune:0.5; do
		service=fallbackmx-${unit%:*}.service
		cp "$(found system/$service)" "$T"
		level=$(SYSTEMD_COLORS=0 systemd-analyze security \
		    --offline=true --no-pager "$T/$service" |
		    sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
		echo "# exposure of $service $level" >&3
		[ -n "$level" ]
		"$FB_PYTHON" -c 'import sys
sys.exit(float(sys.argv[1]) > float(sys.argv[2]))' "$level" "${unit#*:}"
	done
}

@test "sysusers.d and tmpfiles.d make the user and the state directory" {
	need_root
	need systemd-sysusers
	need systemd-tmpfiles
	root=$T/root
	mkdir -p "$root/etc" "$root/var/lib"
	systemd-sysusers --root="$root" "$(found sysusers.d/fallbackmx.conf)"
	line=$(grep '^fallbackmx:' "$root/etc/passwd")
	id=$(cut -d: -f3 <<<"$line")
	[ "$id" -ge 100 ] && [ "$id" -lt 1000 ]
	[[ "$line" == *nologin ]]
	state=$(awk '$1 == "d" { print $2 }' \
	    "$(found tmpfiles.d/fallbackmx.conf)")
	systemd-tmpfiles --root="$root" --create \
	    "$(found tmpfiles.d/fallbackmx.conf)"
	same "$(stat -c '%a %u' "$root$state")" "700 $id"
}

@test "the milter's: a user, and a directory that Postfix may enter" {
	need_root
	need systemd-sysusers
	need systemd-tmpfiles
	root=$T/root
	mkdir -p "$root/etc" "$root/var/spool/postfix" "$root/run"
	echo 'postfix:x:61234:' >"$root/etc/group"
	systemd-sysusers --root="$root" \
	    "$(found sysusers.d/fallbackmx-milter.conf)"
	line=$(grep '^fallbackmx-milter:' "$root/etc/passwd")
	id=$(cut -d: -f3 <<<"$line")
	gid=$(cut -d: -f4 <<<"$line")
	[ "$id" -ge 100 ] && [ "$id" -lt 1000 ]
	[[ "$line" == *nologin ]]
	line=$(grep '^fallbackmx-archive:' "$root/etc/group")
	readers=$(cut -d: -f3 <<<"$line")
	systemd-tmpfiles --root="$root" --create \
	    "$(found tmpfiles.d/fallbackmx-milter.conf)"
	same "$(cd "$root" && stat -c '%n %a %u %g' \
	    var/spool/postfix/fallbackmx run/fallbackmx-milter \
	    var/lib/fallbackmx-milter var/lib/fallbackmx-archive)" "var/spool/postfix/fallbackmx 2750 $id 61234
run/fallbackmx-milter 750 $id $gid
var/lib/fallbackmx-milter 755 $id $gid
var/lib/fallbackmx-archive 2750 $id $readers"
}
