#!/bin/sh
# serve.sh KIND: Ringback as the yardstick's server of that kind, on UDP 127.0.0.1:$PORT, in the foreground; SIGTERM ends it.
# KIND: options | redirect | register | register-durable | register-auth | proxy | proxy-dialog
# RINGBACK: the program (default: the release build of this checkout).  RINGBACK_REFERENCES: the reference material (../shared).
#
# Bindings are in memory, as they are with the servers that this one is held against; register-durable alone waits for the disk,
# as Ringback does by default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${RINGBACK:-${CARGO_TARGET_DIR:-$here/../target}/release/ringback}
port=${PORT:-15060}
data=$(mktemp -d)
durability=none

case ${1:-} in
    options | register | proxy | proxy-dialog) config=open.toml ;;
    register-durable) config=open.toml durability=always ;;
    register-auth) config=any-aor.toml ;;
    redirect) config=redirect.toml ;;
    *) echo "usage: serve.sh options|redirect|register|register-durable|register-auth|proxy|proxy-dialog" >&2; exit 2 ;;
esac

# PORT_TO_LISTEN: the server, its log down to what is wrong.
serve() {
    exec "$program" serve --config "$here/serve/$config" --listen "127.0.0.1:$1" --data "$data" --shards 1 \
        --durability "$durability" --log-level warn
}

case $1 in
    register-auth) echo alice,secret | "$program" user import - --data "$data" ;;
    redirect)
        # The users must have somewhere to be redirected to.
        fill=$((port + 1000))
        (serve "$fill") &
        first=$!
        users=${RINGBACK_REFERENCES:-$here/../../shared}/bench/scenarios/register.xml
        tries=0
        until sipp "127.0.0.1:$fill" -sf "$users" -i 127.0.0.1 -p $((port + 1001)) -m 1000 -r 2000 -nostdin -timeout 10s > /dev/null 2>&1; do
            tries=$((tries + 1))
            if [ "$tries" -gt 5 ]; then echo "serve.sh: no registrations" >&2; kill "$first"; exit 1; fi
            sleep 0.2
        done
        kill "$first"
        wait "$first" || true
        ;;
esac
serve "$port"
