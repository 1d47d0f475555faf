#!/bin/sh
# examples/csharp with Mono: the tests of csharp_binding.cs, and the example.
#   csharp.sh LIBRARY SOURCE_DIR WORK_DIR
set -eu

library=$1 source=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
for program in mcs mono; do
  command -v $program >/dev/null 2>&1 ||
    { echo "SKIPPED: the C# binding: $program is not here (Debian: mono-mcs mono-runtime)"; exit 77; }
done
rm -rf "$work"
mkdir -p "$work"
ln -s "$library" "$work/libdsvl.so"
export LD_LIBRARY_PATH="$work"
binding="$source/examples/csharp/Dsvl.cs $source/examples/csharp/Native.cs"
# shellcheck disable=SC2086  # a list of files
{
  mcs -warnaserror -out:"$work/test.exe" $binding "$here/csharp_binding.cs"
  mcs -warnaserror -out:"$work/ask.exe" $binding "$source/examples/csharp/Ask.cs"
}
mono "$work/test.exe" "$source"

model=$source/examples/models/tiny-vl
said=$(mono "$work/ask.exe" "$model" "$model/demo/000.png" "Which bar is the tallest?" 2>"$work/errors")
[ "$said" = "The green bar." ] || { echo "FAILED: ask.exe says $said" >&2; cat "$work/errors" >&2; exit 1; }
if mono "$work/ask.exe" no/such/model "$model/demo/000.png" "?" 2>"$work/errors" >/dev/null; then
  echo "FAILED: ask.exe takes a model that is not there" >&2
  exit 1
fi
grep -q '^not_found: no/such/model' "$work/errors" || { cat "$work/errors" >&2; echo "FAILED: the error of ask.exe" >&2; exit 1; }
echo "the tests and the example"
