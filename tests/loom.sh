#!/bin/sh
# The model of the log and the mailbox (tests/loom/model.rs): passes as it stands, and fails, for the
# right reason, with each of its memory orderings weakened.
set -eu
cd "$(dirname "$0")/.."
# The cfg is for this workspace's packages only, so that dependencies need not be built again.
mkdir -p "${CARGO_TARGET_DIR:-target}"
stable="${CARGO_TARGET_DIR:-target}/rustc-loom.sh"
printf '#!/bin/sh\nexec "$@" --cfg millstream_loom\n' >"$stable"
chmod +x "$stable"
RUSTC_WORKSPACE_WRAPPER=$(cd "$(dirname "$stable")" && pwd)/rustc-loom.sh
export RUSTC_WORKSPACE_WRAPPER

echo "model: as it stands"
cargo test --quiet --lib model::

# spot:test that must fail:what it must say
for weak in \
    "publish:a_reader_finds_whole_messages:Causality violation|torn message" \
    "link:a_link_is_found:without its content|Causality violation" \
    "mark:no_wake_is_lost:a mark was seen before its message" \
    "ring:no_wake_is_lost:deadlock" \
    "sleep:no_wake_is_lost:deadlock"; do
    spot=${weak%%:*}
    rest=${weak#*:}
    test=${rest%%:*}
    reason=${rest#*:}
    echo "model: with a weak $spot"
    if output=$(MILLSTREAM_WEAK=$spot cargo test --quiet --lib "model::$test" 2>&1); then
        echo "the model passed with a weak $spot: it sees nothing" >&2
        exit 1
    fi
    if ! printf '%s' "$output" | grep -Eq "$reason"; then
        printf '%s\n' "$output" >&2
        echo "the model failed with a weak $spot, but not for the right reason ($reason)" >&2
        exit 1
    fi
done
echo "model: passed, and every weakened ordering was noticed"
