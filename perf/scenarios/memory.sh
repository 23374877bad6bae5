#!/bin/sh
# What an added viewer costs the server in memory: resident bytes with few and with many players of
# the same small stream, each in a process of its own, and what the bytes are. The server runs on
# core 0 and the generator on core 1. Needs `cargo build --release -p millstream -p loadtest`, jq and
# two cores; builds one bench. Writes perf/results/memory-DATE.md.
#
#   perf/scenarios/memory.sh [SERVER]      another millstream, to compare with
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
target=${CARGO_TARGET_DIR:-target}/release
server=${1:-$target/millstream}
result=perf/results/memory-$(date +%Y-%m-%d).md
json=$(mktemp)
trap 'rm -f "$json"' EXIT
few=200

# Resident bytes with $1 players who have come over $2 seconds.
resident() {
    # Frames may be late on a machine that does other things; memory does not depend on it.
    timeout 90 "$target/loadtest" --server "$server" --cores 1 --server-cores 0 --bitrate 0.1 \
        --fps 10 --steps "$1:5:$2" --json "$json" >/dev/null 2>&1 || true
    jq -er --argjson players "$1" \
        '.steps[0] | select(.playing == $players) | .server.resident_bytes' "$json"
}

environment "What an added viewer costs in memory" "perf/scenarios/memory.sh $*" >"$result"
cat >>"$result" <<END
Resident memory of the server (VmRSS), kernel sockets not counted, beyond that of a server with $few players that
has run for as long. The stream has 0.1 Mbit/s, so that its log, which is shared, is small beside the players. Who
comes at once leaves behind what his handshake took, until the allocator gives it back or others use it.

| players | come over | resident | bytes a player beyond $few |
| --: | --: | --: | --: |
END
for over in 5 0; do
    before=$(resident "$few" "$over")
    for players in 1200 2200 4200 8200; do
        bytes=$(resident "$players" "$over")
        each=$(((bytes - before) / (players - few)))
        echo "| $players | $over s | $((bytes / 1000)) KB | $each |" >>"$result"
    done
done
cat >>"$result" <<'END'

## What the bytes are

What the shard's thread has allocated and holds, for each of 1,000 players beyond the first 200: `cargo bench -p bench
--bench memory -- 200 1200`. Sizes are those asked for; the allocator rounds them up, by an eighth at most.

END
cargo bench -q -p bench --bench memory -- 200 1200 | grep '^|' >>"$result"
echo "$result"
