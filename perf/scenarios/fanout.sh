#!/bin/sh
# What fan-out costs: one publisher, 1,000 players of 2.63 Mbit/s, 20 s, the server on core 0 and
# the generator on core 1, at several latency budgets. Needs `cargo build --release -p millstream
# -p loadtest`, jq and two cores. Writes perf/results/fanout-DATE.md.
#
#   perf/scenarios/fanout.sh [PLAYERS [RUN-PREFIX...]]      e.g. fanout.sh 1000 chrt -f 1
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
players=${1:-1000}
[ $# -gt 0 ] && shift
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/fanout-$(date +%Y-%m-%d).md
json=$(mktemp)
trap 'rm -f "$json"' EXIT

command="$* loadtest --cores 1 --server-cores 0 --players $players --seconds 20 --server-arg=--latency-budget=BUDGET"
environment "What fan-out costs: 1 publisher, $players players, 2.63 Mbit/s" "${command# }" >"$result"
cat >>"$result" <<'END'
CPU is the server process's user and system time over the 20 s in which all players play; delay is from
the scheduled send to the player's read, in ms; the generator naps 2 ms between rounds. Memory is the
server's resident growth, kernel sockets not counted.

| budget | CPU s/GB | share of core 0 | video p50 / p99 / max | audio p50 / p99 | KB a player | generator's core | verdict |
| --- | --: | --: | --: | --: | --: | --: | --- |
END
for budget in 0 auto 100ms 350ms; do
    "$@" "$target/loadtest" --cores 1 --server-cores 0 --players "$players" --seconds 20 \
        "--server-arg=--latency-budget=$budget" --json "$json" >/dev/null || true
    jq -r --arg budget "$budget" '
        def ms: . * 10 | round / 10;
        .steps[0] as $s
        | "| \($budget) | \($s.server.cpu_s_per_gb * 1000 | round / 1000) | \($s.server.cores * 100 | round) % | "
        + "\($s.times.video.p50 | ms) / \($s.times.video.p99 | ms) / \($s.times.video.max | ms) | \($s.times.audio.p50 | ms) / \($s.times.audio.p99 | ms) | "
        + "\(.server.bytes_per_player / 100 | round / 10) | "
        + "\($s.own_cores | max * 100 | round) % | \(.verdict) |"' "$json" >>"$result"
done
echo "$result"
