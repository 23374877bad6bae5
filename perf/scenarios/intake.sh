#!/bin/sh
# What a thousand publishers cost on one core: millstream beside the bare sender as a receiver, with
# the same generator, in turns; at its default and with a latency budget of 0, which has no rests
# between rounds of reading. Then what a publisher takes in memory beyond its log, while it sends
# little. The server on core 0, the generator on core 1. Needs
# `cargo build --release -p millstream -p loadtest -p bench --bins`, curl, jq and two cores. Writes
# perf/results/intake-DATE.md.
#
#   perf/scenarios/intake.sh [ROUNDS [PUBLISHERS [SECONDS [RUN-PREFIX...]]]]   e.g. intake.sh 5 1000 15 chrt -f 1
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
rounds=${1:-5} publishers=${2:-1000} seconds=${3:-15}
if [ $# -gt 3 ]; then shift 3; else shift $#; fi
prefix="$*"
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/intake-$(date +%Y-%m-%d).md
work=$(mktemp -d)
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Runs the generator on this machine as the caller wants it run.
load() {
    # shellcheck disable=SC2086
    $prefix "$target/loadtest" --cores 1 --publishers "$publishers" --publisher-ramp 3s "$@"
}

# wait_for WORDS: until a child that begins has written them to its report.
wait_for() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        grep -q "$1" "$work/begun" && return
        sleep 0.2
    done
    echo "it did not begin" >&2
    exit 1
}

# enter WHO: appends what the last run reported.
enter() {
    jq -c --arg who "$1" --argjson round "$round" '
        .steps[0] as $s
        | {$who, $round, verdict, core: $s.server.cores, cpu: $s.server.cpu_s_per_gb_in,
           mb: ($s.server.resident_bytes / 1e6), p50: $s.times.video.p50,
           p99: $s.times.video.p99, own: ($s.own_cores | max)}' \
        "$work/json" >>"$work/runs"
}

bare() {
    # shellcheck disable=SC2086
    $prefix "$target/bare" --core 0 --policy ride >"$work/begun" 2>/dev/null &
    child=$!
    wait_for rtmp:
    url=$(sed -n 's/.*\(rtmp:[^ ]*\)NAME.*/\1/p' "$work/begun")
    load "${url}load" --pid "$child" --streams 50 --players 50 --seconds "$seconds" \
        --json "$work/json" >/dev/null 2>&1 || true
    kill "$child"
    wait "$child" || true
    child=
    enter bare
}

# millstream WHO OPTION...
millstream() {
    who=$1
    shift
    load --server-cores 0 --streams 50 --players 50 --seconds "$seconds" --json "$work/json" "$@" \
        >/dev/null 2>&1 || true
    enter "$who"
}

# at_rest MBIT: what each of the publishers takes when they send so much.
at_rest() {
    "$target/millstream" serve --rtmp 127.0.0.1:0 --http 127.0.0.1:0 --cores 0 >"$work/begun" 2>&1 &
    child=$!
    wait_for 'http://'
    rtmp=$(sed -n 's,.*\(rtmp://[0-9.:]*\)/.*,\1,p' "$work/begun" | head -1)
    http=$(sed -n 's,.*\(http://[0-9.:]*\).*,\1,p' "$work/begun" | head -1)
    load "$rtmp/live/load" --bitrate "$1" --players 0 --seconds 8 >/dev/null 2>&1 &
    generator=$!
    sleep 9
    logs=$(curl -s "$http/api/v1/streams" | jq '[.. | .log_bytes? // empty] | add')
    resident=$(awk '/RssAnon/ {print $2 * 1024}' "/proc/$child/status")
    wait "$generator" || true
    kill "$child"
    wait "$child" || true
    child=
    echo "| $1 Mbit/s | $((logs / publishers / 1024)) | $(((resident - logs) / publishers / 1024)) |"
}

command="perf/scenarios/intake.sh $rounds $publishers $seconds $prefix"
environment "What $publishers publishers of 2.63 Mbit/s cost, 50 of them played" "${command% }" >"$result"
for round in $(seq "$rounds"); do
    if [ $((round % 2)) = 1 ]; then bare; fi
    millstream "its default"
    millstream "budget 0" --server-arg=--latency-budget=0
    if [ $((round % 2)) = 0 ]; then bare; fi
done

{
    cat <<END
CPU is the process's user and system time per GB taken in, over $seconds s; delay is from the scheduled send to the
player's read, in ms. Medians of $rounds rounds. A ratio is that of two runs of one round; beside its median stand the
lowest and the highest. Rounds in which either run did not pass are left out.

| millstream | CPU s/GB in, bare | millstream's | millstream / bare | video p50 / p99, bare | millstream | rounds |
| --- | --: | --: | --: | --: | --: | --: |
END
    jq -rs '
    def median: sort | if length == 0 then null
        elif length % 2 == 1 then .[(length - 1) / 2] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
    def places(n): if . == null then "-" else . * n | round / n end;
    def delay: "\(map(.p50) | median | places(10)) / \(map(.p99) | median | places(10))";
    . as $runs
    | ("its default", "budget 0") as $who
    | [$runs[] | select(.who == "bare" or .who == $who)]
    | group_by(.round)
    | map({bare: map(select(.who == "bare"))[0], server: map(select(.who == $who))[0]})
    | length as $all
    | map(select(.bare.verdict == "pass" and .server.verdict == "pass"))
    | map(.server.cpu / .bare.cpu) as $ratios
    | "| \($who) | \(map(.bare.cpu) | median | places(1000)) | \(map(.server.cpu) | median | places(1000)) | "
    + "\($ratios | median | places(100)) (\($ratios | min | places(100)) .. \($ratios | max | places(100))) | "
    + "\(map(.bare) | delay) | \(map(.server) | delay) | \(length) of \($all) |"' "$work/runs"
    echo
    echo "| at rest: $publishers publishers of | KB of log each | KB beyond it each |"
    echo "| --- | --: | --: |"
    at_rest 0.05
    at_rest 2.63
    echo
    echo "## Every run"
    echo
    echo "| round | who | CPU s/GB in | share of core 0 | resident MB | video p50 / p99 | generator's core | verdict |"
    echo "| --: | --- | --: | --: | --: | --: | --: | --- |"
    jq -r '
        def places(n): if . == null then "-" else . * n | round / n end;
        "| \(.round) | \(.who) | \(.cpu | places(1000)) | \((.core // 0) * 100 | round) % | \(.mb | round) | "
        + "\(.p50 | places(10)) / \(.p99 | places(10)) | \(.own * 100 | round) % | \(.verdict) |"' \
        "$work/runs"
} >>"$result"
echo "$result"
