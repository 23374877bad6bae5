#!/bin/sh
# What a push costs beside a viewer: one publisher of 2.63 Mbit/s, whose stream goes to COUNT viewers, to COUNT
# targets, and to TLS targets over rtmps, in turns. The server runs on core 0, everything else on core 1: the
# load generator, and for the targets the bare sender of bench/, which takes streams and has no players. Needs
# `cargo build --release -p millstream -p loadtest -p bench --bins` and `cargo build --release -p
# millstream-testkit --example door`, curl, jq, taskset and two cores. Writes perf/results/push-DATE.md.
#
#   perf/scenarios/push.sh [COUNT [TLS [ROUNDS]]]      TLS may be 0
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
count=${1:-500}
encrypted=${2:-100}
rounds=${3:-3}
seconds=15
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/push-$(date +%Y-%m-%d).md
work=$(mktemp -d)
children=
stop() {
    for child in $children; do kill "$child" 2>/dev/null || true; done
    children=
}
trap 'stop; rm -rf "$work"' EXIT

# Runs a program on a core and leaves its process id in $child.
run() {
    core=$1
    shift
    taskset -c "$core" "$@" &
    child=$!
    children="$children $child"
}

# The first line of file $1 that has $2 in it, once it is there.
line_of() {
    for _ in $(seq 100); do
        if grep -m 1 "$2" "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    echo "$1 has no $2" >&2
    exit 1
}

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
sent() { curl -s "http://$http/api/v1/shards" | jq '[.shards[].bytes_out] | add'; }

# One run with $1 players and $2 targets by scheme $3: prints CPU seconds per GB, the share of core 0, and how
# many targets publish at its end.
measure() {
    rm -f "$work"/*
    run 1 "$target/bare" --core 1 >"$work/bare" 2>/dev/null
    sink=$(line_of "$work/bare" rtmp:// | sed 's,.*rtmp://\([0-9.:]*\).*,\1,')
    if [ "$3" = rtmps ]; then
        run 1 "$target/examples/door" "$sink" "$work/ca.pem" >"$work/door"
        sink=127.0.0.1:$(line_of "$work/door" .)
    fi
    seq "$2" | while read -r number; do
        echo '[[push]]'
        echo 'stream = "live/load"'
        echo "url = \"$3://$sink/live/copy$number\""
        [ "$3" = rtmp ] || echo "ca = \"$work/ca.pem\""
    done >"$work/millstream.toml"
    run 0 "$target/millstream" serve --config "$work/millstream.toml" --cores 0 --log error \
        --latency-budget 100ms --rtmp 127.0.0.1:0 --http 127.0.0.1:0 >"$work/banner"
    server=$child
    line_of "$work/banner" '  driver ' >/dev/null
    rtmp=$(sed -n 's,.*Publish to  *rtmp://\([0-9.:]*\)/.*,\1,p' "$work/banner")
    http=$(sed -n 's,.*Status  *http://\([0-9.:]*\)/.*,\1,p' "$work/banner")
    run 1 "$target/loadtest" "rtmp://$rtmp/live/load" --cores 1 --players "$1" \
        --seconds $((seconds + 15)) --quiet >"$work/report" 2>&1
    sleep 12
    from_ticks=$(ticks "$server") from_bytes=$(sent)
    sleep "$seconds"
    to_ticks=$(ticks "$server") to_bytes=$(sent)
    publishing=$(curl -s "http://$http/api/v1/targets" |
        jq '[.targets[].pushes[] | select(.state == "publishing" and .skips == 0)] | length')
    stop
    wait
    awk -v ticks=$((to_ticks - from_ticks)) -v bytes=$((to_bytes - from_bytes)) \
        -v hertz="$(getconf CLK_TCK)" -v seconds="$seconds" -v publishing="$publishing" 'BEGIN {
            printf "%.3f %.0f%% %.2f %d\n", ticks / hertz / (bytes / 1e9), 100 * ticks / hertz / seconds,
                bytes / 1e9, publishing }'
}

environment "What a push costs beside a viewer" "perf/scenarios/push.sh $*" >"$result"
cat >>"$result" <<END
CPU is the server process's user and system time over $seconds s. One publisher, 2.63 Mbit/s, latency budget 100ms;
beside the targets there is one viewer.

| round | readers | CPU s/GB | share of core 0 | GB sent | targets that publish and never skipped |
| --: | --- | --: | --: | --: | --: |
END
for round in $(seq "$rounds"); do
    for what in "viewers $count 0 rtmp" "targets 1 $count rtmp" \
        "viewers $encrypted 0 rtmp" "targets-rtmps 1 $encrypted rtmps"; do
        # shellcheck disable=SC2086 # words on purpose
        set -- $what
        [ $(($2 + $3)) -gt 1 ] || continue
        readers=$(($2 + $3))
        figures=$(measure "$2" "$3" "$4")
        echo "| $round | $readers $1 | $(echo "$figures" | sed 's/ / | /g') |" | tee -a "$result"
    done
done
echo "$result"
