#!/bin/sh
# examples/node as it is used: npm brings koffi, then the tests of node_binding.mjs and the example.
#   node.sh LIBRARY SOURCE_DIR WORK_DIR
set -eu

library=$1 source=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "SKIPPED: the Node binding: $*"; exit 77; }
command -v node >/dev/null 2>&1 || skip "node is not here (Debian: nodejs npm)"
# What npm brought stays for the next time: the example is a copy, so that the source folder stays as it is.
mkdir -p "$work"
cp "$source/examples/node/"* "$work/"
if [ ! -d "$work/node_modules/koffi" ]; then
  command -v npm >/dev/null 2>&1 || skip "npm is not here (Debian: npm)"
  (cd "$work" && timeout 60 npm install --no-audit --no-fund --silent --fetch-retries=0 >"$work/npm.log" 2>&1) || rm -rf "$work/node_modules"
fi
(cd "$work" && node -e 'require("koffi")' 2>"$work/koffi.log") ||
  skip "koffi is not here, and npm could not bring it: with a network, run npm install in $work"

export DSVL_LIBRARY="$library"
node --test-reporter=tap "$here/node_binding.mjs" "$work" "$source" >"$work/log" 2>&1 ||
  { cat "$work/log"; echo "FAILED: the tests of the Node binding" >&2; exit 1; }
grep '^# pass' "$work/log"

. "$here/example.sh"
check_example node "$work/ask.mjs"
