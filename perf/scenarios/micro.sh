#!/bin/sh
# The micro benches: times by criterion, instructions by gungraun; this project's libraries beside the
# other published ones for Rust (bench/versus), and what only this project does (bench). Needs jq,
# valgrind and gungraun-runner (tests/install.sh). Takes some ten minutes after building. Writes
# perf/results/micro-DATE.md.
#
#   perf/scenarios/micro.sh [RUN-PREFIX...]      e.g. micro.sh chrt -f 1
set -eu
cd "$(dirname "$0")/../.."
. perf/scenarios/environment.sh
mkdir -p "${CARGO_TARGET_DIR:-target}"
CARGO_TARGET_DIR=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
export CARGO_TARGET_DIR
result=perf/results/micro-$(date +%Y-%m-%d).md
PATH="$PWD/.tools/cargo/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A workspace of its own, whose benches are built into the same folder.
versus() { (cd bench/versus && "$@"); }

# Built first, so that nothing is measured beside a compiler.
cargo bench -q -p bench --no-run
versus cargo bench -q --no-run
environment "Micro benches" "perf/scenarios/micro.sh${*:+ $*}" >"$work/head"
# What older runs left would stand in the tables.
rm -rf "$CARGO_TARGET_DIR/criterion"
# run NAME COMMAND...: what it says into a file of that name, and to the terminal if it fails.
run() {
    name=$1
    shift
    "$@" >"$work/$name" 2>&1 || {
        cat "$work/$name" >&2
        exit 1
    }
}
times="--warm-up-time 0.5 --measurement-time 2 --sample-size 30"
# shellcheck disable=SC2086 # a list of words
run compared versus "$@" cargo bench -q --bench chunk --bench amf0 -- $times
# shellcheck disable=SC2086
run own "$@" cargo bench -q -p bench --bench chunk --bench log -- $times '^(log|chunk/standalone)'
run instructions versus cargo bench -q --bench instructions
run own-instructions cargo bench -q -p bench --bench instructions

# One object a figure: what was measured, whose it is (the same name for a library's two packages),
# and the figure.
find "$CARGO_TARGET_DIR/criterion" -path '*/new/estimates.json' | while read -r estimates; do
    jq -c --slurpfile bench "${estimates%estimates.json}benchmark.json" '
        {id: $bench[0].full_id, value: .median.point_estimate,
         low: .median.confidence_interval.lower_bound, high: .median.confidence_interval.upper_bound,
         bytes: $bench[0].throughput.Bytes}' "$estimates"
done >"$work/times"
awk '/^instructions::/ { split($1, path, "::"); id = $2; sub(/:.*/, "", id); sub(/_/, "/", id)
        if (path[3] !~ /^amf0/) { id = $2; sub(/:.*/, "", id) } }
     / Instructions: / { split($2, count, "|")
        printf "{\"id\": \"%s/%s\", \"value\": %s}\n", path[3], id, count[1] }' \
    "$work/instructions" "$work/own-instructions" >"$work/counts"

# table UNIT FILE: a row for each thing measured, a column for each library; beside a figure its ratio
# to this project's.
table() {
    jq -rs --argjson unit "$1" '
        def places: if . >= 100 then round elif . >= 1 then . * 100 | round / 100 else . * 1000 | round / 1000 end;
        def whose: if test("^millstream") then "millstream" elif test("^rml_") then "rml"
            elif test("^scuffle") then "scuffle" elif test("^rtmp.rs$") then "rtmp-rs"
            elif test("^oxideav") then "oxideav" elif . == "amf" then "amf" else null end;
        ["millstream", "rml", "scuffle", "rtmp-rs", "oxideav", "amf"] as $libraries
        | map(. + {library: (.id | split("/") | last | whose), what: (.id | split("/") | .[:-1] | join("/"))}
            | select(.library))
        | "| | \($libraries | join(" | ")) |", "| --- |\($libraries | map(" --: |") | join(""))",
          (group_by(.what)[]
            | (map({key: .library, value: .value}) | from_entries) as $of
            | "| \(.[0].what) | " + ($libraries | map(
                if $of[.] == null then "-"
                elif . == "millstream" then "\($of[.] / $unit | places)"
                else "\($of[.] / $unit | places) (\($of[.] / $of.millstream | places))" end) | join(" | ")) + " |")
        ' "$2"
}

{
    cat "$work/head"
    cat <<END
Two seconds of a 2.63 Mbit/s stream, 154 messages of 656 KB together, for chunks and the log; one message for
AMF0. \`chunk/read/CHUNK/READ\` is read in pieces of READ bytes. All libraries do the same work, which is checked
before they are measured (\`bench/versus/src\` says where they differ); beside a figure stands its ratio
to millstream's.

## Microseconds

Medians.

END
    table 1000 "$work/times"
    cat <<END

## What only this project does

| | microseconds | low | high | MB/s |
| --- | --: | --: | --: | --: |
END
    jq -rs '
        def places: if . >= 100 then round elif . >= 1 then . * 100 | round / 100 else . * 1000 | round / 1000 end;
        map(select(.id | test("^(log|chunk/standalone)/"))) | sort_by(.id)[]
        | "| \(.id) | \(.value / 1000 | places) | \(.low / 1000 | places) | \(.high / 1000 | places) | "
        + "\(if .bytes then .bytes / .value * 1000 | round else "-" end) |"' "$work/times"
    cat <<END

## Instructions

Counted under $(valgrind --version), chunks of 4096 bytes read in pieces of 1460. The same in every run
of one build, but for libraries that hash with a random seed.

END
    table 1 "$work/counts"
} >"$result"
echo "$result"
