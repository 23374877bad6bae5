#!/bin/sh
# What a hop costs: an origin, an edge and an edge of the edge, each a process; one stream is published
# to the origin and played from each of the three at the same time. Prints the delay from the scheduled
# send to the player's read at each node, and what each hop adds. Needs
# `cargo build --release -p millstream -p loadtest` and jq. Writes perf/results/edges-DATE.md.
#
#   perf/scenarios/edges.sh [SECONDS]
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
seconds=${1:-60}
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/edges-$(date +%Y-%m-%d).md
scratch=$(mktemp -d)
started=
finish() {
    for process in $started; do
        kill "$process" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap finish EXIT

# Starts a server called $1 with the further options; its RTMP address is in $address then.
serve() {
    name=$1
    shift
    NO_COLOR=1 "$target/millstream" --cores 0 --rtmp 127.0.0.1:0 --http 127.0.0.1:0 "$@" \
        >"$scratch/$name" 2>"$scratch/$name.log" &
    started="$started $!"
    tries=0
    : >>"$scratch/$name"
    until address=$(sed -n 's|.*Publish to  *rtmp://\([0-9.:]*\)/.*|\1|p' "$scratch/$name") &&
        [ -n "$address" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { cat "$scratch/$name.log" && exit 1; }
        sleep 0.1
    done
}

serve origin
origin=$address
serve edge --origin "rtmp://$origin"
edge=$address
serve far --origin "rtmp://$edge"
far=$address

"$target/loadtest" "rtmp://$origin/live/hop" --players 0 --wall-clock --cores 1 \
    --seconds "$((seconds + 15))" >"$scratch/publisher.log" 2>&1 &
started="$started $!"
sleep 3
players=
for node in "origin $origin" "edge $edge" "far $far"; do
    address=${node#* }
    node=${node%% *}
    "$target/loadtest" "rtmp://$address/live/hop" --publishers 0 --players 1 --wall-clock --nap 0 \
        --cores 1 --seconds "$seconds" --json "$scratch/$node.json" >"$scratch/$node.out" 2>&1 &
    players="$players $!"
done
for player in $players; do
    wait "$player" || { cat "$scratch"/*.out && exit 1; }
done

environment "What a hop costs: origin, edge, edge of the edge" "perf/scenarios/edges.sh $seconds" >"$result"
cat >>"$result" <<END
One stream of 2.63 Mbit/s, one player on each node at the same time, $seconds s; the servers on core 0, the
generators on core 1. Delay from the scheduled send to the player's read, in ms; what a hop adds is the
difference to the node before at the same percentile.

| node | video p50 | p99 | max | audio p50 | p99 | added p50 | added p99 | verdict |
| --- | --: | --: | --: | --: | --: | --: | --: | --- |
END
jq -rn --slurpfile a "$scratch/origin.json" --slurpfile b "$scratch/edge.json" \
    --slurpfile c "$scratch/far.json" '
    def ms: . * 100 | round / 100;
    [["origin", $a[0]], ["edge", $b[0]], ["edge of the edge", $c[0]]] as $nodes
    | range(3) as $at
    | $nodes[$at][1].steps[0].times as $t
    | (if $at == 0 then null else $nodes[$at - 1][1].steps[0].times end) as $before
    | def added($p): if $before then ($t.video[$p] - $before.video[$p] | ms) else "-" end;
    "| \($nodes[$at][0]) | \($t.video.p50 | ms) | \($t.video.p99 | ms) | \($t.video.max | ms) "
    + "| \($t.audio.p50 | ms) | \($t.audio.p99 | ms) | \(added("p50")) | \(added("p99")) "
    + "| \($nodes[$at][1].verdict) |"' >>"$result"
cat "$result"
