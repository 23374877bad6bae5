#!/bin/sh
# What millstream adds to the bytes: beside the bare sender, at the same delay, with the same
# generator, in turns. One publisher of 2.63 Mbit/s; the sender on core 0, the generator on core 1.
# Needs `cargo build --release -p millstream -p loadtest -p bench --bins`, jq and two cores. Writes
# perf/results/bare-DATE.md.
#
#   perf/scenarios/bare.sh [ROUNDS [PLAYERS [SECONDS [RUN-PREFIX...]]]]     e.g. bare.sh 5 1000 15 chrt -f 1
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
rounds=${1:-5} players=${2:-1000} seconds=${3:-15}
if [ $# -gt 3 ]; then shift 3; else shift $#; fi
prefix="$*"
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/bare-$(date +%Y-%m-%d).md
work=$(mktemp -d)
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Runs a program on this machine as the caller wants it run.
run() {
    # shellcheck disable=SC2086
    $prefix "$@"
}

# enter BUDGET WHO: appends what the last run reported.
enter() {
    jq -c --arg budget "$1" --arg who "$2" --argjson round "$round" '
        .steps[0] as $s
        | {$budget, $who, $round, verdict, cpu: $s.server.cpu_s_per_gb, core: $s.server.cores,
           p50: $s.times.video.p50, p99: $s.times.video.p99, own: ($s.own_cores | max)}' "$work/json" >>"$work/runs"
}

# bare BUDGET WHO OPTION...: loads the bare sender. What loadtest thinks of it is in its report.
bare() {
    budget=$1 who=$2
    shift 2
    rm -f "$work/url" "$work/json"
    # shellcheck disable=SC2086
    $prefix "$target/bare" --core 0 "$@" >"$work/url" 2>/dev/null &
    child=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -s "$work/url" ] && break
        sleep 0.2
    done
    url=$(sed -n 's/.*\(rtmp:[^ ]*\)NAME.*/\1/p' "$work/url")
    run "$target/loadtest" "${url}load" --pid "$child" --cores 1 --players "$players" \
        --seconds "$seconds" --json "$work/json" >/dev/null 2>&1 || true
    kill "$child"
    wait "$child" || true
    child=
    enter "$budget" "$who"
}

# millstream BUDGET: loads the server.
millstream() {
    rm -f "$work/json"
    run "$target/loadtest" --cores 1 --server-cores 0 --server-arg="--latency-budget=$1" \
        --players "$players" --seconds "$seconds" --json "$work/json" >/dev/null 2>&1 || true
    enter "$1" millstream
}

# pair BUDGET WHO OPTION...: both, in an order that changes from round to round.
pair() {
    if [ $((round % 2)) = 1 ]; then
        bare "$@"
        millstream "$1"
    else
        millstream "$1"
        bare "$@"
    fi
}

command="perf/scenarios/bare.sh $rounds $players $seconds $prefix"
environment "What millstream adds to the bytes: 1 publisher, $players players, 2.63 Mbit/s" \
    "${command% }" >"$result"
for round in $(seq "$rounds"); do
    pair 0 "at once" --policy at-once
    pair auto "audio rides" --policy ride
    pair 100ms "window" --policy window --window 100ms
    pair 350ms "window" --policy window --window 350ms
    bare 350ms "window, sendfile" --policy window --window 350ms --sendfile
done

cat >>"$result" <<END
CPU is the process's user and system time over the $seconds s in which all players play, per GB that
arrived; delay is from the scheduled send to the player's read, in ms. Medians of $rounds rounds. A ratio is
that of two runs of one round, one after the other; beside its median stand the lowest and the highest.
Rounds in which either run did not pass are left out.

| budget | the bare sender | its CPU s/GB | millstream's | millstream / bare | video p50 / p99, bare | millstream | rounds |
| --- | --- | --: | --: | --: | --: | --: | --: |
END
jq -rs '
    def median: sort | if length == 0 then null
        elif length % 2 == 1 then .[(length - 1) / 2] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
    def places(n): if . == null then "-" else . * n | round / n end;
    def delay: "\(map(.p50) | median | places(10)) / \(map(.p99) | median | places(10))";
    . as $runs
    | (reduce ($runs[] | select(.who != "millstream") | [.budget, .who]) as $row ([];
        if index([$row]) then . else . + [$row] end))[] as [$budget, $who]
    | [$runs[] | select(.budget == $budget and (.who == $who or .who == "millstream"))]
    | group_by(.round)
    | map({bare: map(select(.who == $who))[0], server: map(select(.who == "millstream"))[0]})
    | length as $all
    | map(select(.bare.verdict == "pass" and .server.verdict == "pass"))
    | map(.server.cpu / .bare.cpu) as $ratios
    | "| \($budget) | \($who) | \(map(.bare.cpu) | median | places(1000)) | "
    + "\(map(.server.cpu) | median | places(1000)) | \($ratios | median | places(100)) "
    + "(\($ratios | min | places(100)) .. \($ratios | max | places(100))) | \(map(.bare) | delay) | "
    + "\(map(.server) | delay) | \(length) of \($all) |"' "$work/runs" >>"$result"
cat >>"$result" <<END

## Every run

| round | budget | who | CPU s/GB | share of core 0 | video p50 / p99 | generator's core | verdict |
| --: | --- | --- | --: | --: | --: | --: | --- |
END
jq -r '
    def places(n): if . == null then "-" else . * n | round / n end;
    "| \(.round) | \(.budget) | \(.who) | \(.cpu | places(1000)) | \((.core // 0) * 100 | round) % | "
    + "\(.p50 | places(10)) / \(.p99 | places(10)) | \(.own * 100 | round) % | \(.verdict) |"' \
    "$work/runs" >>"$result"
echo "$result"
