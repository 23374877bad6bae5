#!/bin/sh
# What might make the server cheaper, each against what it does now, in turns under the same load:
# all trials that `trials --list` lists, or those named. The program under test on core 0, the load
# on core 1. Builds what it needs; wants two cores. Writes perf/results/trials-DATE.md, in under 25
# minutes beside the builds.
#
#   [RUN_PREFIX=...] perf/scenarios/trials.sh [ROUNDS [SECONDS [NAME...]]]
#
#   RUN_PREFIX="chrt -f 1" perf/scenarios/trials.sh 5 3 nagle sendfile
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
rounds=${1:-5} seconds=${2:-3} prefix=${RUN_PREFIX-}
if [ $# -gt 2 ]; then shift 2; else set -- --all; fi
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/trials-$(date +%Y-%m-%d).md
tables=$(mktemp)
trap 'rm -f "$tables"' EXIT

# One program, built in two ways: the second build takes the place of the first.
cargo build --release -p millstream --features system-allocator
cp "$target/millstream" "$target/millstream-system-allocator"
cargo build --release -p millstream -p bench --bins

command="${prefix:+RUN_PREFIX=\"$prefix\" }perf/scenarios/trials.sh $rounds $seconds $*"
{
    environment "What might make the server cheaper" "$command"
    cat <<END
CPU is the user and system time of the program under test over the $seconds s in which all play, per GB that
players received, or that publishers sent where there are hardly any players. Ratios are those of runs of
one round to its run of the first variant, one after the other: the median of $rounds rounds, and the lowest
and the highest. Delay is from the scheduled send to the player's read. Rounds that did not pass are
left out; every run is in the lists.

END
} >"$result"
code=0
# shellcheck disable=SC2086
$prefix "$target/trials" "$@" --rounds "$rounds" --seconds "$seconds" --markdown "$tables" >/dev/null || code=$?
cat "$tables" >>"$result"
echo "$result"
exit "$code"
