#!/bin/sh
# Where the server's time goes: a flame graph, and a table of what a microsecond is spent on. The
# server runs on core 0 and the generator on core 1. SCENARIO is a latency budget with 1,000 players
# of one stream (auto, 100ms, 350ms), or ingest, which is perf/scenarios/ingest.toml. Needs
# `cargo build --release -p millstream -p loadtest -p bench --bins`, perf (Debian's linux-perf), the
# right to profile the kernel, and two cores. Writes perf/results/flame-SCENARIO-DATE.svg and .md.
#
#   perf/scenarios/flame.sh [SCENARIO [PLAYERS [SECONDS [RUN-PREFIX...]]]]    e.g. flame.sh auto 1000 15 chrt -f 1
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
scenario=${1:-auto} players=${2:-1000} seconds=${3:-15}
if [ $# -gt 3 ]; then shift 3; else shift $#; fi
prefix="$*"
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/flame-$scenario-$(date +%Y-%m-%d)
command -v perf >/dev/null || {
    echo "flame.sh: perf is missing; Debian has it in linux-perf" >&2
    exit 1
}
# Until everybody plays; the ingest scenario brings its publishers in ten seconds.
case $scenario in
    ingest) budget=auto lead=16 ;;
    *) budget=$scenario lead=6 ;;
esac
work=$(mktemp -d)
server='' load=''
finish() {
    for child in $load $server; do
        kill "$child" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

: >"$work/banner"
# shellcheck disable=SC2086 # a prefix is several words
$prefix "$target/millstream" serve --rtmp 127.0.0.1:0 --http 127.0.0.1:0 --log warn --cores 0 \
    "--latency-budget=$budget" >"$work/banner" &
server=$!
url=
for _ in 1 2 3 4 5 6 7 8 9 10; do
    url=$(sed -n 's/.*\(rtmp:[^ ]*\)NAME.*/\1/p' "$work/banner" | head -1)
    [ -n "$url" ] && break
    sleep 0.2
done
if [ "$scenario" = ingest ]; then
    set -- --scenario perf/scenarios/ingest.toml
else
    set -- --players "$players"
fi
# It is ended before its time: its own figures are not looked at here.
# shellcheck disable=SC2086
$prefix "$target/loadtest" "${url}load" --pid "$server" --cores 1 "$@" \
    --seconds "$((lead + seconds + 5))" >/dev/null 2>"$work/load" &
load=$!
sleep "$lead"
kill -0 "$load" 2>/dev/null || {
    cat "$work/load" >&2
    exit 1
}

# The clock, since virtual machines seldom have counters. Stacks by the unwinding tables, which
# every build has; frame pointers would ask for a build of its own, and the C library has none.
perf record -q -e cpu-clock -F 997 --call-graph dwarf,8192 -p "$server" -o "$work/data" \
    -- sleep "$seconds"
perf script -i "$work/data" -F comm,ip,sym,dso --no-inline 2>/dev/null >"$work/stacks"
title="millstream, $scenario, $(git rev-parse --short HEAD), $(date +%Y-%m-%d)"
"$target/flame" --svg "$result.svg" --title "$title" <"$work/stacks" >"$work/table"
{
    environment "Where a microsecond goes: $scenario" \
        "perf/scenarios/flame.sh $scenario $players $seconds${prefix:+ $prefix}"
    cat <<END
Samples of the server's threads by processor time, $seconds s after $lead s of joining. Drawn in
[flame-$scenario-$(date +%Y-%m-%d).svg](flame-$scenario-$(date +%Y-%m-%d).svg). How they are sorted stands in
\`bench/src/flame\`.

END
    cat "$work/table"
} >"$result.md"
echo "$result.md"
