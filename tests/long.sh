#!/bin/sh
# The long runs that the test suite only samples: thousands of killed publishers, then all stories
# again and again. Usage: tests/long.sh [KILLS] [ROUNDS]
#
# Ends at the first failure, with the evidence on the terminal: what a player saw,
# and the server's log.
set -eu
cd "$(dirname "$0")/.."

kills=${1:-3000}
rounds=${2:-20}

cargo test --test scenarios --no-run
echo "killing publishers at random moments, $kills times"
SCENARIO_KILLS=$kills cargo test --test scenarios publishers_are_killed -- --nocapture
echo "everything at once, for some minutes"
SCENARIO_STEPS=4000 cargo test --test scenarios everything_at_once -- --nocapture
round=1
while [ "$round" -le "$rounds" ]; do
    echo "all stories, round $round of $rounds"
    cargo test --quiet --test scenarios
    round=$((round + 1))
done
