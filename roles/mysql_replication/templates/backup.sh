#!/bin/bash
# Kept by foobar-play (role mysql_replication): changes here are lost.
#
# Dumps all databases into a file that is either whole or not there, and
# removes all but the newest {{ .mysql_backup.keep | default 7 }}.
set -euo pipefail
umask 077
dir={{ .mysql_backup_dir | quote }}
part="$dir/.part"
trap 'rm -f "$part"' EXIT
{{ .mysql_words.dump }} --no-defaults --socket={{ .mysql_socket | quote }} --all-databases --single-transaction --routines --triggers --events \
	{{ .mysql_maria | ternary "--gtid --master-data=2" "--source-data=2 --set-gtid-purged=ON" }} | gzip >"$part"
gzip -dc "$part" | tail -n 1 | grep -q '^-- Dump completed' || {
	echo 'the dump is not whole' >&2
	exit 1
}
mv "$part" "$dir/$(date -u +%Y%m%dT%H%M%SZ).sql.gz"
find "$dir" -maxdepth 1 -name '*.sql.gz' -print0 | sort -rz | tail -zn +{{ add1 (.mysql_backup.keep | default 7) }} | xargs -0r rm -f --
