#!/usr/bin/env bash
# Packages the libraries and the server as they would be published, and builds their examples, and a
# program on the server (examples/outside), from the packages alone: what a stranger gets must not
# lean on this repository.
set -euo pipefail
cd "$(dirname "$0")/.."
crates=(amf0 amf3 media flv rtmp client)
out=target/package-test
# Built below instead of verified here: cargo keeps what it once unpacked of a version for verifying, and
# the version stays the same while the sources change.
cargo package --quiet --allow-dirty --no-verify --target-dir "$out" -p millstream \
    "${crates[@]/#/-pmillstream-}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
patches=()
for crate in "${crates[@]}"; do
    archive=("$out"/package/millstream-"$crate"-*.crate)
    tar -xzf "${archive[0]}" -C "$work"
    folder=$(basename "${archive[0]}" .crate)
    mv "$work/$folder" "$work/$crate"
    patches+=(--config "patch.crates-io.millstream-$crate.path='$work/$crate'")
done
for crate in "${crates[@]}"; do
    for file in README.md LICENSE-MIT LICENSE-APACHE; do
        [ -s "$work/$crate/$file" ] || { echo "millstream-$crate has no $file" >&2; exit 1; }
    done
    examples=("$work/$crate"/examples/*.rs)
    [ -e "${examples[0]}" ] || { echo "millstream-$crate has no example" >&2; exit 1; }
    (cd "$work/$crate" && cargo build --quiet --examples --target-dir "$OLDPWD/$out" "${patches[@]}")
    echo "millstream-$crate: ${#examples[@]} example(s) built from the package"
done

# The server's package, under a program that knows nothing of this folder. It takes RTMP alone.
archive=("$out"/package/millstream-[0-9]*.crate)
tar -xzf "${archive[0]}" -C "$work"
patches+=(--config "patch.crates-io.millstream.path='$work/$(basename "${archive[0]}" .crate)'")
cp -r examples/outside "$work/outside"
sed -i 's/, path = "[^"]*"//' "$work/outside/Cargo.toml"
# The versions of everything else that this repository is tested with.
cp Cargo.lock "$work/outside"
(cd "$work/outside" && cargo test --target-dir "$OLDPWD/$out" "${patches[@]}")
echo "millstream: a program outside builds from the packages, and serves"
