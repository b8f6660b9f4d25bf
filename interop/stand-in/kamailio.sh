#!/bin/sh
# Kamailio behind the part of the `ringback` command line that the harness uses, as a control: a case that fails
# against Ringback and passes here has found a fault in Ringback, and not in the scenario.
#
#   kamailio.sh user import FILE --data DIR          lines of name,password
#   kamailio.sh serve --listen ADDRESS:PORT... --data DIR [anything else is ignored]
#
# Needs Debian's package kamailio. Bindings survive a restart through db_text, written some milliseconds behind each 200.
# What doesn't pass, and why: `stop` (it ends at SIGTERM with calls open), `redirect` and `linphone` (they need a configuration
# file of ours), `cancel` (before a callee has rung, its 487 may overtake the 200 of the CANCEL) and `no-answer` (its timers
# are its own).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
schema=/usr/share/kamailio/dbtext/kamailio
verb=${1:?user or serve}
shift
import= listen= data=
[ "$verb" = serve ] || { [ "${1:-}" = import ] && import=${2:?FILE} && shift 2; }
while [ $# -gt 0 ]; do
	case "$1" in
		--listen) listen="$listen -l udp:$2 -l tcp:$2"; shift 2 ;;
		--data) data=$2; shift 2 ;;
		*) shift ;;
	esac
done
[ -n "$data" ] || { echo "--data DIR is missing" >&2; exit 2; }
mkdir -p "$data"
data=$(cd "$data" && pwd)
[ -f "$data/version" ] || cp "$schema/version" "$schema/location" "$schema/htable" "$data/"
chmod u+w "$data"/*

if [ -n "$import" ]; then
	awk -F, 'NF == 2 { printf "%d:%s:0:0:%s:0\n", NR, $1, $2 }' "$import" >> "$data/htable"
	touch "$data/started"
	exit 0
fi
if [ ! -f "$data/started" ]; then
	printf '%s\n' '1000001:alice:0:0:alice-pw:0' '1000002:bob:0:0:bob-pw:0' >> "$data/htable"
	echo "account alice  password alice-pw"
	echo "account bob    password bob-pw"
	touch "$data/started"
fi
echo "ready to load" >&2
cd "$data"
sed "s|@DATA@|$data|" "$here/kamailio.cfg" > kamailio.cfg
exec kamailio -f "$data/kamailio.cfg" -DD -E -m 64 -M 8 -x tlsf -X tlsf -Y "$data" -P "$data/pid" \
	$listen
