#!/bin/sh
# Kept by foobar-play (role mysql_replication): changes here are lost.
#
# Answers one HTTP request on stdin and stdout: /primary is 200 where writes
# go, /replica where reads may go: both threads run, and it is at most
# {{ .mysql_max_lag_seconds }} seconds behind. Anything else is 503, with the reason.
LC_ALL=C
export LC_ALL

answer() { # status, reason
	body="$2
"
	printf 'HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' "$1" "${#body}"
	[ "$method" = HEAD ] || printf '%s' "$body"
	exit 0
}
ask() { timeout 5 {{ .mysql_words.client }} --no-defaults --socket={{ .mysql_socket | quote }} "$@" 2>/dev/null; }

read -r method path _
while read -r line && [ "$line" != "$(printf '\r')" ] && [ -n "$line" ]; do :; done

read_only=$(ask -NBe 'SELECT @@read_only') || answer '503 Service Unavailable' 'the server does not answer'
status=$(ask -Ee '{{ .mysql_maria | ternary "SHOW SLAVE STATUS" "SHOW REPLICA STATUS" }}') || answer '503 Service Unavailable' 'the status cannot be read'
field() { printf '%s\n' "$status" | sed -n "s/^ *\($1\): //p" | head -n 1; }
io=$(field '{{ .mysql_maria | ternary "Slave_IO_Running" "Replica_IO_Running" }}')
sql=$(field '{{ .mysql_maria | ternary "Slave_SQL_Running" "Replica_SQL_Running" }}')
lag=$(field '{{ .mysql_maria | ternary "Seconds_Behind_Master" "Seconds_Behind_Source" }}')

case "$path" in
/primary)
	[ "$read_only" = 0 ] || answer '503 Service Unavailable' 'it takes no writes'
	[ -z "$io$sql" ] || answer '503 Service Unavailable' 'it follows another server'
	answer '200 OK' 'primary'
	;;
/replica)
	[ -n "$io$sql" ] || answer '503 Service Unavailable' 'it follows nobody'
	[ "$io" = Yes ] && [ "$sql" = Yes ] || answer '503 Service Unavailable' "its threads do not run: $io, $sql"
	case "$lag" in
	'' | *[!0-9]*) answer '503 Service Unavailable' 'its lag is not known' ;;
	esac
	[ "$lag" -le {{ .mysql_max_lag_seconds }} ] || answer '503 Service Unavailable' "it is $lag seconds behind"
	answer '200 OK' "replica, $lag seconds behind"
	;;
*) answer '404 Not Found' 'ask for /primary or /replica' ;;
esac
