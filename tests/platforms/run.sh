#!/usr/bin/env bash
# Builds dsvl for other platforms and tests it there, under emulators, as far as this machine has what that takes:
#   tests/platforms/run.sh                  all of them
#   tests/platforms/run.sh aarch64 mingw    these
#   tests/platforms/run.sh --answers …      no unit tests, which take longest to compile
#   tests/platforms/run.sh --small          what CI runs: two questions, no more, on two platforms
#   tests/platforms/run.sh --install        installs compilers and emulators first, where they are missing
#   tests/platforms/run.sh --list
#
# On each: unit tests, then platform_answers (answers.cpp), whose texts must be the reference's, and whose logits are
# compared with those of x86-64's SSE2 (answers.txt). The last lines are a table. Builds stay in build/platforms. JOBS=n
# compiles n files at a time (default: one per core).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=tests/platforms
root=build/platforms

# name          compiler                        runs with     test programs                     questions, threads
table='
x86_64          g++                             -             -                                 12;1
aarch64         aarch64-linux-gnu-g++           qemu-aarch64  base,io,text,kernels_isa,nn_isa   12;1
mingw           x86_64-w64-mingw32-g++-posix    wine          base,io,text,kernels_isa,nn_isa   12;1
i686            g++                             -             base,io,text,kernels_isa          12;1
armhf           arm-linux-gnueabihf-g++         qemu-arm      base,io,text                      1;1
riscv64         riscv64-linux-gnu-g++           qemu-riscv64  base,io,text                      1;1
wasm            em++                            node          kernels_isa,nn_isa                12;1
wasm_threads    em++                            node          -                                 12;2
'
names=$(awk 'NF { print $1 }' <<<"$table")

small='' answers_only='' install='' chosen=()
for argument in "$@"; do
  case $argument in
    --small) small=yes answers_only=yes ;;
    --answers) answers_only=yes ;;
    --install) install=yes ;;
    --list) echo "$names"; exit 0 ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
    *)
      grep -qx -- "$argument" <<<"$names" || { echo "$0: unknown platform $argument; see $0 --list" >&2; exit 2; }
      chosen+=("$argument")
      ;;
  esac
done
if [ ${#chosen[@]} -eq 0 ]; then
  if [ -n "$small" ]; then chosen=(aarch64 mingw); else mapfile -t chosen <<<"$names"; fi
fi
if [ -n "$install" ]; then
  groups=(build test platforms)
  [ -n "$small" ] || groups+=(more-platforms i686)
  sh examples/install-dependencies.sh "${groups[@]}" || true
fi
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}

# --- how a platform is configured ------------------------------------------------------------------------------------
# A folder with the headers that dsvl stands on and none of this machine's own.
headers=$PWD/$root/headers
link_headers() {
  mkdir -p "$headers"
  local header found folder
  for header in xsimd nlohmann stb doctest eigen3; do
    found=
    for folder in /usr/local/include /usr/include; do [ ! -d "$folder/$header" ] || found=$folder/$header; done
    [ -n "$found" ] || { echo "$0: $header is not installed; see examples/install-dependencies.sh build test" >&2; exit 1; }
    ln -sfn "$found" "$headers/$header"
  done
}
# The CMake options that only this platform has.
options_of() {
  case $1 in
    mingw) echo "-DDSVL_PROGRAM_ISAS=sse2;avx2_fma" "-DDSVL_TEST_ISAS=sse2;avx2_fma" ;;
    x86_64 | i686) echo "-DDSVL_PROGRAM_ISAS=sse2" "-DDSVL_TEST_ISAS=sse2" ;;
    wasm_threads) echo "-DDSVL_WASM_THREADS=ON" ;;
  esac
}
configure() {
  local name=$1 asked=$2 toolchain=() generator=() launcher=()
  [ -f "$root/$name/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
  if [ "$name" = x86_64 ]; then toolchain=("-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG")
  else toolchain=("-DCMAKE_TOOLCHAIN_FILE=$PWD/$here/toolchains/${name%_threads}.cmake"); fi
  # What the compiler takes: the table shows the largest.
  if [ -x /usr/bin/time ]; then launcher=("-DCMAKE_CXX_COMPILER_LAUNCHER=/usr/bin/time;-a;-o;$PWD/$root/$name.compiler;-f;%M"); fi
  # shellcheck disable=SC2046  # several options
  cmake -S . -B "$root/$name" "${generator[@]}" "${launcher[@]}" -DCMAKE_BUILD_TYPE=Release -DDSVL_WERROR=ON \
    "${toolchain[@]}" "-DDSVL_PLATFORM_HEADERS=$headers" "-DDSVL_PLATFORM_ANSWERS=$asked" \
    -DDSVL_TESTS=ON -DDSVL_EXAMPLES=ON -DDSVL_BENCHMARKS=OFF -DDSVL_INSTALL=OFF $(options_of "$name")
}
# Whether the platform's compiler and emulator are here; that g++ makes programs of 32 bits takes a try.
works() {
  local name=$1 compiler=$2 runner=$3
  command -v "$compiler" >/dev/null || return 1
  [ "$runner" = - ] || command -v "$runner" >/dev/null || return 1
  [ "$name" = i686 ] || return 0
  { echo 'int main() {}' | "$compiler" -m32 -x c++ - -o "$root/probe" && "$root/probe"; } 2>/dev/null
}

# --- what is run -----------------------------------------------------------------------------------------------------
row() { printf '%-13s %-22s %-22s %-18s %s\n' "$@"; }
failed=
fail() { failed+=" $1"; echo "FAILED: $1: $2"; }

# Compiles: the seconds, and what the largest compilation took.
build() {
  local name=$1 began=$SECONDS
  shift
  rm -f "$root/$name.compiler"
  cmake --build "$root/$name" --parallel "$jobs" --target "$@" || return 1
  built="$((SECONDS - began)) s"
  [ ! -s "$root/$name.compiler" ] || built+=$(sort -n "$root/$name.compiler" | awk 'END { printf ", %.2f GB", $1 / 1e6 }')
}
# Runs the unit tests that were built, and counts them.
unit_tests() {
  local name=$1 log=$root/$1.tests names
  names=$(sed 's/\([a-z]*\)_isa/\1_[a-z0-9_]+/g; s/,/|/g' <<<"$2")
  ctest --test-dir "$root/$name" --output-on-failure --timeout 1200 --tests-regex "^($names)\$" | tee "$log"
  local status=${PIPESTATUS[0]}
  tested=$(sed -n 's/.*passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 of \2 failed/p' "$log")
  tested=${tested/#0 of * failed/all passed}
  return "$status"
}
# Asks, with the processor that the emulator plays as the second word; holds the logits against SSE2's.
answers() {
  local name=$1 processor=$2 log
  log=$root/$name.answers${processor:+.$processor}
  env ${processor:+"QEMU_CPU=$processor"} ctest --test-dir "$root/$name" --verbose --tests-regex '^platform_answers$' |
    sed -n 's/^[0-9]*: \([0-9].*\)/\1/p; s/^[0-9]*: \(FAILED.*\)/\1/p' | tee "$log"
  answered=$(sed -n "s/^\([0-9]* of [0-9]*\) answers are.*kernels: \([^;]*\);.* \([0-9.]* s\) for each.*/\1 (\2), \3/p" "$log")
  bits=$(compare_bits "$log")
  grep -q "^\([0-9]*\) of \1 " <<<"$answered"
}
# compare_bits ANSWERS: how many have the logits of x86-64's SSE2, and how far the others' log-likelihoods are apart.
compare_bits() {
  awk -F '  ' '{ n = split($4, number, " ") } n != 2 { next }
    NR == FNR { hash[$1 $2] = number[2]; likelihood[$1 $2] = number[1]; next }
    { all++; if (number[2] == hash[$1 $2]) same++
      apart = number[1] - likelihood[$1 $2]; if (apart < 0) apart = -apart; if (apart > most) most = apart }
    END { if (all == 0) print "-"; else if (same == all) print "the bits of SSE2"
      else printf "%d of %d with the bits of SSE2; %.0e apart\n", same, all, most }' "$here/answers.txt" "$1"
}

# One platform, whole.
platform() {
  local name=$1 compiler=$2 runner=$3 programs=$4 asked=$5
  printf '\n=== %s ===\n' "$name"
  if ! works "$name" "$compiler" "$runner"; then
    echo "SKIPPED: $name: $compiler or $runner is not here, or does not work (examples/install-dependencies.sh platforms more-platforms i686)"
    rows+=$(row "$name" skipped - - -)$'\n'
    return
  fi
  [ -z "$answers_only" ] || programs=-
  [ -z "$small" ] || asked="2;1"
  local targets=(platform_answers) built=- tested=- answered=- bits=-
  [ "$programs" = - ] || for program in ${programs//,/ }; do targets+=("test_$program"); done
  [ "$name" != mingw ] || [ -n "$small" ] || targets+=(dsvl_cli platform_interrupt)
  if ! configure "$name" "$asked" >"$root/$name.log" 2>&1; then
    tail -n 20 "$root/$name.log"
    fail "$name" "was not configured"
    built="not configured"
  elif ! build "$name" "${targets[@]}"; then
    fail "$name" "did not compile"
    built="did not compile"
  else
    [ "$programs" = - ] || unit_tests "$name" "$programs" || fail "$name" "unit tests"
    answers "$name" "" || fail "$name" "answers"
  fi
  rows+=$(row "$name" "$built" "$tested" "$answered" "$bits")$'\n'
  if [ "$name" = aarch64 ] && [ -z "$small" ] && [ "$answered" != - ]; then
    answers "$name" cortex-a72 || fail "$name" "answers without dot products"
    rows+=$(row "  cortex-a72" - - "$answered" "$bits")$'\n'
  fi
  if [ "$name" = mingw ] && [ -z "$small" ] && [ "$answered" != - ]; then
    "$here/windows.sh" "$root/mingw" || fail "$name" "the program dsvl under wine (windows.sh)"
  fi
}

mkdir -p "$root"
export WINEPREFIX=$PWD/$root/wine
link_headers
rows='' SECONDS=0
for name in "${chosen[@]}"; do
  # shellcheck disable=SC2046  # the words of its row
  platform $(awk -v name="$name" '$1 == name' <<<"$table")
done

printf '\n=== Summary of %d min %02d s ===\n' $((SECONDS / 60)) $((SECONDS % 60))
row platform "built" "unit tests" "answers" "logits"
printf '%s' "$rows"
[ -z "$failed" ] || { echo "FAILED:$failed"; exit 1; }
