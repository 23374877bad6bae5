#!/bin/sh
# Builds all fuzz targets on the stable toolchain and runs each for some seconds:
#
#     fuzz/run.sh [seconds per target, 60 by default] [target ...]
#
# The instrumentation is LLVM's own, asked for by code generation options, so neither cargo-fuzz
# nor a nightly compiler is needed; a C++ compiler is, for libFuzzer. Inputs found are kept under
# fuzz/target/corpus, the seeds in fuzz/corpus are left as they are, and an input that fails is
# written to fuzz/artifacts. Logs are fuzz/target/<target>.log. The exit status is not zero if a target failed.
set -eu
cd "$(dirname "$0")"

seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-amf0 amf3 flv media handshake chunk server_session client_session}

# With --target the options apply to the targets alone and not to build scripts.
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares \
-Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks --cfg fuzzing"
export CARGO_TARGET_DIR="$PWD/target"
cargo build --release --bins --target "$triple"

status=0
for target in $targets; do
    mkdir -p "target/corpus/$target" "artifacts/$target"
    log="target/$target.log"
    echo "== $target"
    if "target/$triple/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
        -max_len=16384 -print_final_stats=1 -verbosity=0 -artifact_prefix="artifacts/$target/" \
        "target/corpus/$target" "corpus/$target" > "$log" 2>&1
    then
        grep '^stat::' "$log"
    else
        status=1
        tail -n 60 "$log"
    fi
done
exit $status
