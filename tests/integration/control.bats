#!/usr/bin/env bats
# fallbackmx status, reload and config check beside a running milter: what is
# in force, what a bad configuration leaves, who may ask.

load helpers

rules='{"RuleSetName": "incoming", "Rules": [
  {"Name": "tag", "Actions": [{"AddHeader":
    {"HeaderName": "X-A", "HeaderValue": "b"}}]},
  {"Name": "away", "Actions": [{"Relay": {"Relay": "r-1"}}]}]}'
mapped='"targets": [{"target": "r-1", "action": "skip"}]'

more_setup() {
	# Not the importer's users: it refuses to be root.
	[ -z "$FB_ROOT" ] || started_as alice
	RUN=$T/run GROUP=$(as "$CALLER" id -gn)
	mkdir -m 755 "$RUN"
	give "$CALLER" "$RUN"
}

# milter_json [MORE]: a configuration with one ingress point.
milter_json() {
	configuration "{ \"milter\": {
	    \"socket\": \"unix:@/run/m.sock\", \"socket_group\": \"$GROUP\",
	    \"control_socket\": \"@/run/c.sock\",
	    \"metrics_file\": \"@/run/m.prom\"${1:+, $1},
	    \"ingress_points\": [ { \"name\": \"mx1\",
	        \"rule_set\": \"@/rules.json\" } ] } }"
	printf '%s\n' "${2-$rules}" >"$T/rules.json"
	chmod 644 "$T/rules.json"
}

begin_milter() {
	as "$CALLER" "$FB_BIN/fallbackmx-milter" --config "$CONFIG" \
	    >"$T/milter.out" 2>"$T/milter.err" 3>&- &
	PIDS="$PIDS $!"
	for _ in {1..600}; do
		! fb status --socket "$RUN/c.sock" >"$T/status" 2>&1 || return 0
		sleep .1
	done
	cat "$T/status" "$T/milter.err"
	return 1
}

shows() { # TEXT: stdout of the last run holds it
	[[ "$output" == *"$1"* ]] && return
	echo "stdout lacks '$1': $output"
	return 1
}

@test "status: what is in force, for people and as JSON" {
	milter_json "$mapped"
	begin_milter
	expect 0 fb status --config "$CONFIG"
	same "$stderr" ""
	shows "Configuration 1, loaded"
	shows ", of $CONFIG"
	shows "Ingress point mx1"
	shows "rule set incoming (enforce): $T/rules.json"
	shows "Rules[1] away: 0"
	shows "Ingress point submission"
	expect 0 fb status --json --config "$CONFIG"
	printf '%s\n' "$output" >"$T/json"
	"$FB_PYTHON" - "$T/json" "$CONFIG" <<-'END'
	import json, sys
	s = json.load(open(sys.argv[1]))
	assert s['ok'] is True and s['generation'] == 1 and s['mistakes'] == []
	assert s['file'] == sys.argv[2]
	assert s['ingress_points'][0]['rule_set']['name'] == 'incoming'
	rules = [r for r in s['counters']['rules_total']]
	assert [r['rule'] for r in rules] == ['tag', 'away'], rules
	assert all(r['value'] == 0 and r['mode'] == 'enforce' for r in rules)
	END
	grep -q '^fallbackmx_policy_ok 1$' "$RUN/m.prom"
	[ ! -e "$RUN/m.prom.tmp" ]
}

@test "reload: a good one is in force, a bad one changes nothing" {
	milter_json "$mapped"
	begin_milter
	milter_json "$mapped" '{"RuleSetName": "second", "Rules": []}'
	expect 0 fb reload --config "$CONFIG"
	same "$stderr" ""
	shows "configuration 2 is in force"
	expect 0 fb status --config "$CONFIG"
	shows "rule set second"

	# Two mistakes in two files; the first alone would hide the other.
	milter_json '"wait": -1' '{"Rules": [{}]}'
	expect 78 fb reload --config "$CONFIG"
	same "$output" ""
	says "$CONFIG: milter.wait: found -1"
	says "the configuration before stays in force"
	milter_json "" '{"Rules": [{"Actions": [{"Relay": {"Relay": "r-1"}}]},
	    {"Actions": []}]}'
	expect 78 fb reload --config "$CONFIG"
	says "$T/rules.json: Rules[1].Actions: found a list"
	milter_json ""
	expect 78 fb reload --config "$CONFIG"
	says "Rules[1].Actions[0].Relay.Relay: found \"r-1\""
	says 'add {"target": "r-1", "action": "local"}'

	expect 78 fb status --config "$CONFIG"
	shows "RELOAD FAILED, since"
	shows "Rules[1].Actions[0].Relay.Relay"
	shows "rule set second"
	expect 78 fb config check --config "$CONFIG"
	says "Rules[1].Actions[0].Relay.Relay"

	milter_json "$mapped"
	expect 0 fb config check --config "$CONFIG"
	expect 0 fb reload --config "$CONFIG"
	expect 0 fb status --config "$CONFIG"
	shows "rule set incoming"
	[[ "$output" != *"RELOAD FAILED"* ]]
}

@test "reload: a file that is no JSON any more still finds the milter" {
	milter_json "$mapped"
	begin_milter
	configuration '{ "milter": {'
	expect 78 fb reload --config "$CONFIG" --socket "$RUN/c.sock"
	says "$CONFIG:2:"
	says "the configuration before stays in force"
}

@test "SIGUSR1 does the same" {
	milter_json "$mapped"
	begin_milter
	milter_json "" '{'
	# To it alone: the shell around it would end, and leave it behind.
	kill -USR1 $(named fallbackmx-milt ${PIDS##* })
	for _ in {1..600}; do
		run --separate-stderr fb status --socket "$RUN/c.sock"
		[ "$status" = 0 ] || break
		sleep .1
	done
	[ "$status" = 78 ]
	shows "RELOAD FAILED"
	grep -q 'the configuration before stays in force' "$T/milter.err"
}

@test "who may ask, and where nobody answers" {
	milter_json "$mapped"
	expect 69 fb status --config "$CONFIG"
	says "$RUN/c.sock: it does not run"
	expect 69 fb reload --config "$CONFIG"
	begin_milter
	same "$(stat -c %a "$RUN/c.sock")" 600
	if [ -n "$FB_ROOT" ]; then
		CALLER=bob
		expect 77 fb status --config "$CONFIG"
		chmod 666 "$RUN/c.sock"
		expect 77 fb reload --config "$CONFIG"
		says "only root and the milter's own user may ask"
		CALLER=root
		expect 0 fb status --socket "$RUN/c.sock"
	fi
	expect 64 fb status now
	expect 64 fb reload --config
}

@test "a milter does not start with mistakes, and names all of them" {
	milter_json '"wait": -1, "drain": -1'
	expect 78 as "$CALLER" timeout 100 "$FB_BIN/fallbackmx-milter" \
	    --config "$CONFIG"
	says "milter.wait"
	says "milter.drain"
	milter_json "" '{"Rules": [{"Actions": [{"Archive":
	    {"TargetArchive": "a-1"}}, {"Relay": {"Relay": "r-1"}}]}]}'
	expect 78 as "$CALLER" timeout 100 "$FB_BIN/fallbackmx-milter" \
	    --config "$CONFIG"
	says "Rules[0].Actions[0].Archive.TargetArchive"
	says "Rules[0].Actions[1].Relay.Relay"
}

@test "started as root: policies are read as the user that will reload them" {
	need_root
	milter_json "$mapped"
	sed -i 's,run/c.sock,new/c.sock,' "$CONFIG"
	chmod 600 "$T/rules.json"
	expect 78 as root timeout 100 "$FB_BIN/fallbackmx-milter" \
	    --config "$CONFIG" --user alice
	says "rules.json"
	says "Permission denied"
	[ ! -e "$RUN/m.sock" ]
	chmod 644 "$T/rules.json"
	# Nobody made the directory of the control socket: /run after a boot.
	rmdir "$T/new"
	CALLER=root RUN=$T/new
	as root "$FB_BIN/fallbackmx-milter" --config "$CONFIG" --user alice \
	    >"$T/milter.out" 2>"$T/milter.err" 3>&- &
	PIDS="$PIDS $!"
	for _ in {1..600}; do
		run fb reload --socket "$RUN/c.sock"
		[ "$status" != 0 ] || break
		sleep .1
	done
	shows "configuration 2 is in force"
	same "$(stat -c %U:%a "$RUN")" alice:700
	same "$(stat -c %U "$T/run/m.sock")" alice
}
