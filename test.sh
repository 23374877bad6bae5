#!/usr/bin/env bash
# Every check there is, in one command: ./test.sh. See ./test.sh --help.
set -uo pipefail
# Bash writes the time with the decimal mark of the locale.
export LC_ALL=C
cd "$(dirname "$0")" || exit 1
command -v cargo >/dev/null || PATH="$PATH:$HOME/.cargo/bin"

# The table of stages, in the order in which they run:
#   name | a path without which there is nothing to run | what it checks | command
# A stage without its path is not listed and not run. Integration tests of the root package
# that have no line of their own run in the stage "integration", so that none is forgotten.
#
# All tests run in the dev profile: media at a few megabits per second ask little of the
# server, overflow checks and debug assertions stay on, and nothing is built twice. Only what
# counts instructions, which is held against limits, is built as it is shipped.
stages() {
    cat <<'TABLE'
fmt         | rustfmt.toml    | formatting                                  | formatting
clippy      | clippy.toml     | lints of all targets, as errors             | lints
build       | Cargo.toml      | everything the following stages run         | builds
unit        | crates          | unit and property tests of every package    | unit_tests
doctest     | src/lib.rs      | examples in the documentation               | doc_tests
docs        | src/lib.rs      | documentation builds, links lead somewhere  | documentation
integration | tests           | integration tests without a stage of theirs | integration_tests
scenarios   | tests/scenarios | scenarios over real sockets                 | cargo test --test scenarios
clients     | tests/clients   | real publishers and players, bit-exact      | cargo test --test clients -- --test-threads=2
proxy       | tests/proxy     | the proxy between real programs and bad ones | cargo test --test proxy
swarm       | tests/swarm     | the load generator against several servers  | cargo test --test swarm -- --test-threads=4
helpers     | tests/helpers   | helper processes, killed in every way       | cargo test --test helpers
hostile     | tests/hostile   | hostile input over real sockets             | cargo test --test hostile
sim         | tests/sim.sh    | seeded simulation, and bugs planted in it   | tests/sim.sh
loom        | tests/loom.sh   | interleavings of what is shared by threads  | tests/loom.sh
package     | tests/package.sh | the libraries build from their packages    | tests/package.sh
fuzz        | fuzz/run.sh     | every fuzz target for a few seconds         | fuzz/run.sh 8
bench       | bench/benches   | every benchmark once, instructions counted  | benches
TABLE
}

# Stages that need what tests/install.sh installs.
needs_install=" unit clients proxy swarm helpers bench "

usage() {
    cat <<'HELP'
usage: ./test.sh [--no-install] [--keep-going] [STAGE...]

Runs the stages named, or all of them, in the order below, and stops at the first failure.
  --no-install  do not call tests/install.sh, which installs the clients (root, Debian 12)
  --keep-going  run the remaining stages after a failure

MILLSTREAM_TEST_SERVER=nginx aims the stage "clients" at nginx-rtmp, to test the tests.

stages:
HELP
    while read -r name; do
        printf '  %-12s %s\n' "$name" "$(field "$name" 3)"
    done < <(names)
}

trim() { sed 's/^ *//; s/ *$//'; }

# The given field of a stage's line. The command is the last one and may contain bars.
field() { stages | sed -n "/^$1 *|/p" | cut -d'|' -f"$2$([ "$2" = 4 ] && echo -)" | trim; }

# A path of the table is there as it stands, or as a Rust file.
present() { [ -e "$1" ] || [ -e "$1.rs" ]; }

# Names of the stages that have something to run.
names() {
    stages | cut -d'|' -f1 | trim | while read -r name; do
        if [ "$name" = integration ]; then
            [ -z "$(other_integration_tests)" ] || echo "$name"
        elif present "$(field "$name" 2)"; then
            echo "$name"
        fi
    done
}

# Integration tests of the root package that no stage is named after.
other_integration_tests() {
    local target
    for target in tests/*.rs tests/*/main.rs; do
        [ -e "$target" ] || continue
        target=${target#tests/}
        target=${target%/main.rs}
        target=${target%.rs}
        [ -n "$(field "$target" 1)" ] || echo "$target"
    done
}

integration_tests() {
    local arguments=() target
    for target in $(other_integration_tests); do
        arguments+=(--test "$target")
    done
    cargo test "${arguments[@]}"
}

# Packages are built with the features that those beside them ask for. So the root package is always
# tested by itself and the others always together, and nothing is built in two ways.
others() { cargo test --workspace --exclude millstream --exclude bench "$@"; }

builds() { cargo test -p millstream --no-run && others --no-run; }

# The root package's integration tests have stages of their own.
unit_tests() { cargo test -p millstream --lib --bins && others --lib --bins --tests; }

doc_tests() { cargo test -p millstream --doc && others --doc; }

# The comparison with other libraries is no member of the workspace. It is held to the same form, and
# run by perf/scenarios/micro.sh alone: what those libraries need would take longer than the benches.
versus() { (cd bench/versus && cargo "$@"); }

formatting() {
    cargo fmt --all --check && versus fmt --check && (cd examples/outside && cargo fmt --check)
}

lints() {
    cargo clippy --workspace --all-targets -- -D warnings &&
        versus clippy --all-targets -- -D warnings
}

documentation() {
    local -x RUSTDOCFLAGS="-D warnings"
    cargo doc --workspace --no-deps && versus doc --no-deps
}

# The runner is looked for on the path; without it, or without valgrind, counting fails.
benches() {
    cargo test -p bench &&
        PATH="$PWD/.tools/cargo/bin:$PATH" cargo bench -p bench --bench instructions
}

install=yes
keep_going=no
chosen=()
for argument in "$@"; do
    case $argument in
        --no-install) install=no ;;
        --keep-going) keep_going=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        -*)
            usage >&2
            exit 2
            ;;
        *)
            if [[ $'\n'"$(names)"$'\n' != *$'\n'"$argument"$'\n'* ]]; then
                printf 'test.sh: no stage "%s"; ./test.sh --help lists them\n' "$argument" >&2
                exit 2
            fi
            chosen+=("$argument")
            ;;
    esac
done

summary=""
failed=no

# Runs one stage and notes its result and time.
run() {
    local name=$1 command=$2 started=$EPOCHREALTIME result=ok line
    printf '\n== %s: %s\n' "$name" "$command"
    eval "$command" || result=FAILED
    line=$(printf '%-12s %-7s %8.1f s' "$name" "$result" "$(seconds_since "$started")")
    printf '== %s\n' "$line"
    summary+="$line"$'\n'
    [ "$result" = ok ] || failed=yes
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'; }

selected=()
while read -r name; do
    if [ ${#chosen[@]} -eq 0 ] || [[ " ${chosen[*]} " == *" $name "* ]]; then
        selected+=("$name")
    fi
done < <(names)

started=$EPOCHREALTIME
if [ "$install" = yes ]; then
    for name in "${selected[@]}"; do
        if [[ $needs_install == *" $name "* ]]; then
            run install tests/install.sh
            break
        fi
    done
fi
for name in "${selected[@]}"; do
    [ "$failed" = no ] || [ "$keep_going" = yes ] || break
    run "$name" "$(field "$name" 4)"
done

printf '\n%s%-20s %8.1f s\n' "$summary" total "$(seconds_since "$started")"
[ "$failed" = no ]
