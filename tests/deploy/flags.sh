#!/bin/sh
# What a host's compiler flags do to dsvl: each is either fine or refused with one error that says what to do.
#   flags.sh INCLUDE_DIR WORK_DIR COMPILER [FLAG...]
set -eu

include=$1 work=$2 compiler=$3
shift 3
rm -rf "$work"
mkdir -p "$work/gnu"
failed=0

echo '#include <dsvl/dsvl.hpp>' >"$work/all.cpp"
echo '#include <dsvl/kernels/unit.hpp>' >"$work/unit.cpp"
echo '#include <dsvl/text/sampler.hpp>' >"$work/sampler.cpp"
printf '#include <dsvl/dsvl.hpp>\nint main() { return 0; }\n' >"$work/declares.cpp"

# try UNIT FLAG...: compiles for syntax, all warnings as errors; what it said lies in $work/said.
try() {
  unit=$1
  shift
  "$compiler" -fsyntax-only -I"$include" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror "$@" "$work/$unit.cpp" \
    >"$work/said" 2>&1
}
bad() {
  failed=1
  echo "FAILED  $1" >&2
  grep -E 'error|warning' "$work/said" | head -n 5 >&2
}
# accepted WHAT UNIT FLAG...
accepted() {
  what=$1
  shift
  if try "$@"; then echo "ok      $what"; else bad "$what"; fi
}
# refused WHAT TEXT UNIT FLAG...: the first error has this text.
refused() {
  what=$1 text=$2
  shift 2
  if try "$@"; then bad "$what: compiled"
  elif grep -m 1 'error' "$work/said" | grep -q "#error.*$text\|error:.*$text"; then echo "ok      $what"
  else bad "$what: refused by another error"; fi
}
# predefines "MACRO VALUE" FLAG...: whether the compiler shows the flags.
predefines() {
  macro=$1
  shift
  "$compiler" "$@" -dM -E -x c++ /dev/null 2>/dev/null | grep -q "define $macro\$"
}

for unit in all unit sampler; do
  refused "C++17 is refused by one clear error, before any other ($unit)" 'needs C++20' $unit "$@" -std=c++17
done
set -- "$@" -std=c++20
for unit in all unit sampler; do
  refused "-ffast-math is refused where arithmetic is compiled ($unit)" 'equal bits' $unit "$@" -ffast-math
done
refused "-ffinite-math-only is refused" 'NaN and infinity' unit "$@" -ffinite-math-only
for flag in -funsafe-math-optimizations '-fassociative-math -fno-signed-zeros -fno-trapping-math' -freciprocal-math; do
  # shellcheck disable=SC2086  # several flags
  if predefines '__ASSOCIATIVE_MATH__ 1' $flag || predefines '__RECIPROCAL_MATH__ 1' $flag; then
    refused "${flag%% *} is refused" 'equal bits' unit "$@" $flag
  else
    echo "SKIPPED: $compiler does not show ${flag%% *}, so it cannot be refused"
  fi
done
accepted "a file that only declares may have -ffast-math" declares "$@" -ffast-math -DDSVL_HEADER_ONLY=0
refused "the unit of kernels beside it may not" 'equal bits' unit "$@" -ffast-math -DDSVL_HEADER_ONLY=0
if predefines '__FLT_EVAL_METHOD__ 2' -mfpmath=387; then
  refused "arithmetic of the x87 unit is refused" 'x87' unit "$@" -mfpmath=387
fi
accepted "containers that check themselves (_GLIBCXX_DEBUG)" all "$@" -D_GLIBCXX_DEBUG

# The rows of DSVL_ISAS: the flags of each, those of the rows that it extends in front, choose that row.
rows=$(awk -F '"' '/^  ROW\(/ {
  split($1, name, /[(,]/); split($3, extends, /[ ,]+/)
  flags[name[2]] = flags[extends[2]] " " $4
  print name[2] flags[name[2]]
}' "$include/dsvl/base/config.hpp")
echo DSVL_ISA >"$work/isa.cpp"
chosen() { "$compiler" -E -P "$@" -I"$include" -include dsvl/base/config.hpp "$work/isa.cpp" 2>/dev/null | tail -n 1; }
seen=0
while read -r isa flags; do
  [ "$isa" != generic ] || flags=-DDSVL_SCALAR=1
  # shellcheck disable=SC2086  # several flags
  if got=$(chosen "$@" $flags) && [ -n "$got" ]; then
    seen=$((seen + 1))
    case $isa:$got in
      sse2:* | neon64:*) ;;  # what the compiler does without flags: it may be more
      wasm128:sse2) ;;        # Clang ignores the flags of WebAssembly for other machines
      "$got:$got") echo "ok      the flags of $isa choose it" ;;
      *) failed=1; echo "FAILED  the flags of $isa ($flags) choose $got" >&2 ;;
    esac
  fi
done <<END
$rows
END
[ $seen -ge 3 ] || { failed=1; echo "FAILED  no rows of DSVL_ISAS were seen" >&2; }

# 32-bit addresses on any 64-bit Debian: the headers that only its own 32-bit packages have are made up.
: >"$work/gnu/stubs-32.h"
machine=$("$compiler" -print-multiarch 2>/dev/null || "$compiler" -dumpmachine)
major=$("$compiler" -dumpversion | cut -d . -f 1)
set -- "$@" -m32 -msse2 -mfpmath=sse -isystem "$work" -isystem "/usr/include/$machine/c++/$major" -isystem "/usr/include/$machine"
if printf '#include <vector>\n#include <filesystem>\n' | "$compiler" "$@" -fsyntax-only -x c++ - 2>/dev/null; then
  accepted "32-bit addresses" all "$@"
else
  echo "SKIPPED: 32-bit addresses: $compiler cannot compile for them here"
fi
exit $failed
