#!/bin/sh
# A step of load against one shard: does the pacing window widen, stand still for a minute, and
# return? Few players, many, few. Needs `cargo build --release -p millstream -p loadtest` and two
# cores. Writes perf/results/pacing-DATE.md.
#
#   perf/scenarios/pacing.sh [MANY [RUN-PREFIX...]]      e.g. pacing.sh 3000 chrt -f 1
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
many=${1:-3000}
[ $# -gt 0 ] && shift
target=${CARGO_TARGET_DIR:-target}/release
result=perf/results/pacing-$(date +%Y-%m-%d).md
series=$(mktemp --suffix=.md) && text=$(mktemp)
trap 'rm -f "$series" "$text"' EXIT

command="$* loadtest --cores 1 --server-cores 0 --steps 100:8,$many:80,100:15"
environment "Pacing under a step of load" "${command# }" >"$result"
"$@" "$target/loadtest" --cores 1 --server-cores 0 --steps "100:8,$many:80,100:15" --sample 1s \
    --series "$series" >"$text" || echo "exit code $?" >>"$text"
{
    echo '```'
    cat "$text"
    echo '```'
    echo
    cat "$series"
} >>"$result"
echo "$result"
