#!/bin/sh
# One small project (matrix/) with many flags: each row compiles, and its program answers. Prints a table with the
# seconds and the memory that compiling took and the size of what came out, and leaves it in WORK_DIR/table.md.
#   matrix.sh quick|full SOURCE_DIR WORK_DIR COMPILER [FLAG...]
# quick  what can be linked with dsvl compiled once, which is COMPILED in the environment: seconds
# full   everything else: minutes
set -eu

mode=$1 source=$2 work=$3 compiler=$4
here=$(cd "$(dirname "$0")" && pwd)/matrix
shift 4
command -v python3 >/dev/null 2>&1 || { echo "SKIPPED: the matrix of flags, which python3 measures"; exit 77; }
rm -rf "$work"
mkdir -p "$work"
model=$source/examples/models/tiny-vl
failed=0
strip=$(command -v strip || true)

# measured COMMAND...: runs it; its processor seconds and the memory of its largest process go to $work/cost.
measured() {
  python3 -c '
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{used.ru_utime + used.ru_stime:.1f} | {used.ru_maxrss / 1024:.0f}")
sys.exit(code)' "$work/cost" "$@"
}
# row NAME FILES FLAG...: compiles the FILES of matrix/, links, asks, and adds a line to the table.
row() {
  name=$1 files=$2 program=$work/program
  shift 2
  set -- "$@" $flags
  for file in $files; do set -- "$@" "$here/$file"; done
  rm -f "$program"
  if ! measured "$compiler" -std=c++20 "-I$source/include" "$@" $libraries -pthread -o "$program" >"$work/said" 2>&1; then
    bad "$name: it does not compile"
  else
    [ -z "$strip" ] || strip "$program"
    "$program" "$model" "$model/demo/000.png" $argument >"$work/said" 2>&1 || true
    [ "$(cat "$work/said")" = "There are 4 bars. 4" ] || bad "$name: it says something else"
    echo "| $name | $(cat "$work/cost") | $(wc -c <"$program" | awk '{ printf "%.2f", $1 / 1e6 }') |" | tee -a "$work/table.md"
  fi
}
bad() {
  failed=1
  echo "FAILED  $1" >&2
  head -n 8 "$work/said" >&2
}

flags=$* libraries= argument=
{
  echo "| flags | seconds | MB of the compiler | MB of the program |"
  echo "|---|---|---|---|"
} | tee "$work/table.md"
both="main.cpp other.cpp"
if [ "$mode" = quick ]; then
  libraries=$COMPILED
  set -- -O1 -DDSVL_HEADER_ONLY=0
  row '`DSVL_HEADER_ONLY=0`, linked with dsvl compiled once' "$both" "$@"
  row 'behind the names of X11, Qt and windows.h' "$both" "$@" -DMATRIX_HOSTILE "-I$here"
  row '`-ffast-math`, in files that declare' "main.cpp other.cpp" "$@" -ffast-math
  argument=flushed
  row 'flush-to-zero' "$both" "$@"
else
  formats=-DDSVL_FORMATS=bf16
  row '`-O2`, all formats of weights' "$both" -O2
  row '`-O2`' "$both" -O2 $formats
  row '`-O0`' "$both" -O0 $formats
  row '`-Os -ffunction-sections -fdata-sections -Wl,--gc-sections`' "$both" -Os $formats -ffunction-sections \
    -fdata-sections -Wl,--gc-sections
  row '`-O1 -flto`' "$both" -O1 $formats -flto
  row 'unity' unity.cpp -O1 $formats
  row '`-std=c++23`' "$both" -O1 $formats -std=c++23
  row '`-funsigned-char`' "$both" -O1 $formats -funsigned-char
  row '`-D_GLIBCXX_ASSERTIONS`' "$both" -O1 $formats -D_GLIBCXX_ASSERTIONS
  row '`-O2 -D_FORTIFY_SOURCE=3`' "$both" -O2 $formats -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
  row 'behind the names of X11, Qt and windows.h' "$both" -O1 $formats -DMATRIX_HOSTILE "-I$here"
fi
exit $failed
