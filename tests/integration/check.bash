# What the suites of fallbackmx check share. Loaded behind helpers.

# lines_are LEVEL:CHECK...: of the last run's stdout, in this order. LEVEL is
# ok, warning or FAILED; blanks in CHECK are written "_".
lines_are() {
	same "$(printf '%s\n' "$output" |
	    sed -n 's/^\(ok\|warning\|FAILED\): \([a-z ]*\): .*/\1:\2/p' |
	    tr ' ' _)" "$(printf '%s\n' "$@")"
	# Each says what to do, unless all is well.
	! printf '%s\n' "$output" | grep -vE '^ok: |^(warning|FAILED): .* - '
}

told() { # TEXT: the last run's stdout holds it
	[[ "$output" == *"$1"* ]] && return
	echo "stdout lacks '$1': $output"
	return 1
}
