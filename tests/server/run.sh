#!/usr/bin/env bash
# The server's tests: run.sh PROGRAM SOURCE_DIRECTORY SCRATCH. Node runs them; npm brings the official client.
set -eu
program=$1 source=$2 scratch=$3
command -v node >/dev/null 2>&1 || { echo "SKIPPED: the server's tests, which need node (Debian: nodejs)"; exit 0; }
node "$source/tests/server/server.mjs" "$program" "$source"
mkdir -p "$scratch"
for package in openai@6 playwright-core@1; do
  [ -d "$scratch/node_modules/${package%@*}" ] || ! command -v npm >/dev/null 2>&1 ||
    (cd "$scratch" && timeout 60 npm install --no-audit --no-fund --silent "$package" >/dev/null 2>&1) || true
done
node "$source/tests/server/client.mjs" "$program" "$source" "$scratch"
node "$source/tests/server/page.mjs" "$program" "$source" "$scratch"
node "$source/tests/server/load.mjs" "$program" "$source" --clients 16 --requests 160
