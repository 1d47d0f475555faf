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

. "$here/example.sh"
check_example mono "$work/ask.exe"
