#!/usr/bin/env bash
# Builds the fuzz targets with clang++ in build/fuzz, and runs them one after another.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]     30 seconds each, and all of them, unless said otherwise
#
# What a target found worth keeping is in build/fuzz/corpus/TARGET, from where the next run goes on. An input that breaks
# something is in build/fuzz/found, under the target's name: build/fuzz/bin/fuzz_TARGET FILE runs it again.
# JOBS=n compiles n at a time (default: one per core).
set -euo pipefail

case ${1:-} in
  -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-30}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for seeds in tests/fuzz/seeds/*/; do targets+=("$(basename "$seeds")"); done
fi

# The longest input that is tried: what a format needs to say something, and short work.
longest() {
  case $1 in
    saved_session) echo 16384 ;;
    gguf | tokenizer_json) echo 8192 ;;
    kernels | gguf_model) echo 64 ;;
    session_player | jpeg_rules | detokenizer | chat_template | sampler | utf8 | constraint) echo 512 ;;
    *) echo 4096 ;;
  esac
}

generator=()
if [ ! -f build/fuzz/CMakeCache.txt ] && command -v ninja >/dev/null 2>&1; then generator=(-G Ninja); fi
cmake -S . -B build/fuzz "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=clang++ -DDSVL_FUZZ=ON \
  -DDSVL_EXAMPLES=OFF -DDSVL_BENCHMARKS=OFF -DDSVL_INSTALL=OFF
cmake --build build/fuzz --parallel "${JOBS:-$(nproc 2>/dev/null || echo 2)}"
ctest --test-dir build/fuzz --output-on-failure

# Tests of "no memory" ask for more than there is: that is an answer, and not a finding.
export ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
mkdir -p build/fuzz/found
failed=
for target in "${targets[@]}"; do
  mkdir -p "build/fuzz/corpus/$target"
  log=build/fuzz/$target.log
  if build/fuzz/bin/fuzz_"$target" -max_total_time="$seconds" -max_len="$(longest "$target")" -timeout=20 \
    -rss_limit_mb=4096 -artifact_prefix="build/fuzz/found/$target-" "build/fuzz/corpus/$target" \
    "tests/fuzz/seeds/$target" >"$log" 2>&1; then
    printf '%-16s %s\n' "$target" "$(grep -E '^#[0-9]+.*DONE' "$log" | tr -s ' \t' ' ')"
  else
    tail -n 40 "$log"
    printf '%-16s FAILED: see %s and build/fuzz/found\n' "$target" "$log"
    failed+=" $target"
  fi
done
[ -z "$failed" ] || { echo "FAILED:$failed" && exit 1; }
