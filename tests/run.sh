#!/usr/bin/env bash
# Installs what is missing, builds dsvl in several ways and runs every test. Debian 12, Ubuntu 24.04 or later.
#
#   tests/run.sh              --release, --applications, --sanitize, and of --platforms the two that most depends on; this is
#                             what CI runs
#   tests/run.sh --release    g++, optimised for this machine: all tests, examples, packaging tests, and what depends on
#                             kernels with those of every instruction set that the processor has; in build/
#   tests/run.sh --applications  the window, the server, the game and the robot, with what they want; in build/
#   tests/run.sh --sanitize   readers, words and scheduler under ASan, UBSan and TSan; in build/asan, build/tsan
#   tests/run.sh --clang      clang++, for any machine of this kind, built by Meson; in build/meson-clang
#   tests/run.sh --assertions g++, with the standard library's own checks; in build/assertions
#   tests/run.sh --i686       g++, with addresses of 32 bits: files, words and what is below; in
#                             build/platforms/i686
#   tests/run.sh --platforms  other processors and systems under emulators, as far as they can be had here (see
#                             tests/platforms/run.sh); in build/platforms
#   tests/run.sh --fuzz       clang++ with libFuzzer: every fuzz target for 30 seconds (see tests/fuzz/run.sh); in build/fuzz
#   tests/run.sh --full       also what takes minutes or wants published models, and everything under the sanitizers; with
#                             no other option all of these but --clang
#   tests/run.sh --help
#
# JOBS=n compiles and tests n at a time (default: one per core).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

full=
phases=()
for option in "$@"; do
  case $option in
    --release) phases+=(release) ;;
    --applications) phases+=(applications) ;;
    --sanitize) phases+=(asan tsan) ;;
    --clang) phases+=(clang) ;;
    --assertions) phases+=(assertions) ;;
    --i686) phases+=(i686) ;;
    --platforms) phases+=(platforms) ;;
    --fuzz) phases+=(fuzz) ;;
    --full) full=yes ;;
    -h | --help)
      sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
      exit 0
      ;;
    *)
      echo "tests/run.sh: unknown option $option; see tests/run.sh --help" >&2
      exit 2
      ;;
  esac
done
if [ ${#phases[@]} -eq 0 ]; then
  if [ -n "$full" ]; then phases=(release applications asan tsan assertions platforms fuzz)
  else phases=(release applications asan tsan few_platforms); fi
fi

jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}

floors=(base kernels io run text nn vision language model engine convert chat)
joined() { (IFS='|' && echo "$*"); }

# What can not be checked here; the summary says it again.
skip() { echo "SKIPPED: $1" | tee -a build/skipped.log; }

# configure FOLDER [CMAKE OPTION...]; a folder that is there keeps its generator. Eight sources are compiled as one unit, in
# less than half of the time; they are units of their own in the Meson build.
configure() {
  local folder=$1
  shift
  if [ ! -f "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then set -- -G Ninja "$@"; fi
  cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DDSVL_TESTS=ON -DDSVL_WERROR=ON -DCMAKE_UNITY_BUILD=ON "$@"
}

# What depends on kernels runs with those of every instruction set of dsvl_add_kernels that this processor has, and with
# --full with those of all rows of DSVL_ISAS in include/dsvl/base/config.hpp.
run_release() {
  local isas=
  if [ -n "$full" ] && [ "$(uname -m)" = x86_64 ]; then
    isas=$(sed -n 's/^  ROW(\(\(sse\|avx\)[a-z0-9_]*\), .*/\1/p' include/dsvl/base/config.hpp | paste -s -d ';')
  fi
  rm -f build/skipped.log
  newer_stb
  configure build -DDSVL_NATIVE=ON -DDSVL_EXAMPLES=ON -DDSVL_BENCHMARKS=ON -DDSVL_INSTALL=ON \
    "-DDSVL_TEST_ISAS=$isas" "-DDSVL_TEST_ISAS_FULLY=${full:-no}" "-DDSVL_OTHER_STB=$other_stb"
  cmake --build build --parallel "$jobs"
  run_tests --parallel "$jobs" --label-exclude 'full|applications'
  [ -z "$full" ] || sh examples/install-dependencies.sh reference batch validator || true
  [ -z "$full" ] || run_tests --label-regex full --no-tests=ignore
}
# As a person uses them: a screen without a monitor, a browser without a window, npm's client.
run_applications() {
  local application
  for application in desktop game robot server; do sh examples/install-dependencies.sh $application || true; done
  configure build -DDSVL_EXAMPLES=ON
  cmake --build build --parallel "$jobs"
  run_tests --label-regex applications
}

# Debian 13's stb_image.h, which is 2.30 where Debian 12 has 2.27: a package that holds nothing but headers.
newer_stb() {
  other_stb=$PWD/build/newer-stb/usr/include
  if [ ! -f "$other_stb/stb/stb_image.h" ]; then
    local package=build/libstb-dev.deb
    mkdir -p build/newer-stb
    if curl -fsSL --max-time 60 -o $package \
      "http://deb.debian.org/debian/pool/main/libs/libstb/libstb-dev_0.0~git20241109.5c20573+ds-1_amd64.deb" &&
      echo "36fbe0c268c76daa655180ea3c9933afc41c6449ec5e53ef3d4907b516147650  $package" | sha256sum --check --quiet &&
      dpkg-deb --extract $package build/newer-stb; then
      rm $package
    else
      echo "SKIPPED: a newer stb_image.h could not be had, so pictures were decoded with the installed one only" |
        tee -a build/skipped.log
      other_stb=
    fi
  fi
}
# ctest, and a note of what the tests say that they could not check here.
run_tests() {
  local status=0
  ctest --test-dir build --output-on-failure "$@" || status=$?
  grep -h '^SKIPPED:' build/Testing/Temporary/LastTest.log >>build/skipped.log || true
  return $status
}

# What reads files, pictures and words, what runs programs, and how long sessions use what they were lent. Instrumented
# code makes compilers warn about what is not there, so warnings are errors in the other builds only. Kernels, layers and
# chats are instrumented with --full.
run_asan() {
  configure build/asan -DDSVL_SANITIZE=address,undefined -DDSVL_WERROR=OFF -DDSVL_EXAMPLES=OFF -DDSVL_BENCHMARKS=OFF
  if [ -n "$full" ]; then
    cmake --build build/asan --parallel "$jobs"
    ctest --test-dir build/asan --output-on-failure --parallel "$jobs"
  else
    cmake --build build/asan --parallel "$jobs" --target test_base test_io test_text test_run test_lifetimes
    ctest --test-dir build/asan --output-on-failure --parallel "$jobs" --tests-regex '^(base|io|text|run|lifetimes)$'
  fi
}

# The scheduler, and with --full whole sessions and files with several writers: all that has threads.
run_tsan() {
  local programs=(test_base test_run) names='^(base|run)$'
  if [ -n "$full" ]; then programs+=(test_io test_chat) names='^(base|io|run|chat)$'; fi
  configure build/tsan -DDSVL_SANITIZE=thread -DDSVL_WERROR=OFF -DDSVL_EXAMPLES=OFF -DDSVL_BENCHMARKS=OFF
  cmake --build build/tsan --parallel "$jobs" --target "${programs[@]}"
  # Some kernels place memory where ThreadSanitizer does not expect it; without randomisation they do not.
  local fixed_addresses=()
  if setarch "$(uname -m)" -R true 2>/dev/null; then fixed_addresses=(setarch "$(uname -m)" -R); fi
  "${fixed_addresses[@]}" ctest --test-dir build/tsan --output-on-failure --parallel "$jobs" --tests-regex "$names"
}

# Every index, iterator and optional looked at: in what reads input, and with --full everywhere.
run_assertions() {
  configure build/assertions -DCMAKE_CXX_FLAGS=-D_GLIBCXX_ASSERTIONS -DDSVL_EXAMPLES=OFF -DDSVL_BENCHMARKS=OFF
  if [ -n "$full" ]; then
    cmake --build build/assertions --parallel "$jobs" --target "${floors[@]/#/test_}" fuzz_seeds
    ctest --test-dir build/assertions --output-on-failure --parallel "$jobs" \
      --tests-regex "^($(joined "${floors[@]}" fuzz_seeds))$"
  else
    cmake --build build/assertions --parallel "$jobs" --target test_base test_io test_text test_run
    ctest --test-dir build/assertions --output-on-failure --parallel "$jobs" --tests-regex '^(base|io|text|run)$'
  fi
}

# Sizes that fit 64 bits and not 32: what reads files and words, and what that stands on.
run_i686() { run_on i686; }
# Library, kernels and two questions on 64-bit Arm and on Windows.
run_few_platforms() { run_on --small; }
run_platforms() { run_on; }
run_on() {
  local status=0
  JOBS=$jobs tests/platforms/run.sh --install "$@" >build/platforms.log 2>&1 || status=$?
  cat build/platforms.log
  grep '^SKIPPED:' build/platforms.log >>build/skipped.log || true
  return $status
}

run_fuzz() {
  sh examples/install-dependencies.sh fuzz || true
  if ! printf '#include <cstdint>\nextern "C" int LLVMFuzzerTestOneInput(const uint8_t*, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer,address -x c++ - -o build/fuzz-probe 2>/dev/null; then
    skip "clang++ has no libFuzzer here, so nothing was fuzzed"
    return
  fi
  JOBS=$jobs tests/fuzz/run.sh 30
}

run_clang() {
  if [ ! -f build/meson-clang/build.ninja ]; then
    CXX=clang++ meson setup --werror -Dexamples=false -Dbenchmarks=false build/meson-clang
  else
    meson setup --reconfigure build/meson-clang
  fi
  meson compile -C build/meson-clang -j "$jobs"
  meson test -C build/meson-clang --no-rebuild --print-errorlogs --num-processes "$jobs"
}

describe() {
  case $1 in
    release) echo "g++, optimised for this machine: all tests" ;;
    applications) echo "Applications: a window, a server, a game, a robot" ;;
    asan) echo "g++, AddressSanitizer and UndefinedBehaviorSanitizer: what reads input" ;;
    tsan) echo "g++, ThreadSanitizer: tests with threads" ;;
    assertions) echo "g++, with the standard library's own checks" ;;
    i686) echo "g++, addresses of 32 bits: what reads input" ;;
    platforms) echo "Other processors and systems, under emulators" ;;
    few_platforms) echo "64-bit Arm and Windows, under emulators: two questions" ;;
    fuzz) echo "clang++ with libFuzzer: every fuzz target for 30 seconds" ;;
    clang) echo "clang++, any machine of this kind, built by Meson: unit tests" ;;
  esac
}

sh examples/install-dependencies.sh build test

mkdir -p build
failed=
summary=
SECONDS=0
for phase in "${phases[@]}"; do
  began=$SECONDS
  printf '\n=== %s ===\n' "$(describe "$phase")"
  log=build/run-$phase.log
  set +e
  (
    set -e
    "run_$phase"
  ) 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  set -e
  # ctest and Meson each say it their own way.
  result=$(grep -E '^[0-9]+% tests passed' "$log" | paste -sd ';' || true)
  [ -n "$result" ] || result=$(awk '/^(Ok|Fail|Timeout):/ { printf "%s %s  ", tolower($1), $2 }' "$log")
  [ "$status" = 0 ] && verdict=passed || verdict=FAILED
  [ "$status" = 0 ] || failed+=" $phase"
  [ "$status" = 0 ] || result=${result:-did not reach the tests}
  grep -q '^SKIPPED:' "$log" && [ -z "$result" ] && result="skipped"
  summary+=$(printf '%-13s %-7s %4d s  %s' "$phase" "$verdict" $((SECONDS - began)) "$result")
  summary+=$'\n'
done

printf '\n=== Summary ===\n'
skipped=$(sort -u build/skipped.log 2>/dev/null || true)
[ -z "$skipped" ] || printf '%s\n' "$skipped"
printf '%s' "$summary"
printf 'Total %d min %02d s. %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "${failed:+FAILED:$failed}"
[ -z "$failed" ]
