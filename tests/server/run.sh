#!/usr/bin/env bash
# The server's tests: run.sh PROGRAM SOURCE_DIRECTORY SCRATCH. Node runs them; npm brings the official client.
set -eu
program=$1 source=$2 scratch=$3
command -v node >/dev/null 2>&1 || { echo "SKIPPED: the server's tests, which need node (Debian: nodejs)"; exit 0; }
node "$source/tests/server/server.mjs" "$program" "$source"
mkdir -p "$scratch"
if [ ! -d "$scratch/node_modules/openai" ] && command -v npm >/dev/null 2>&1; then
  (cd "$scratch" && npm install --no-save --no-audit --no-fund --silent openai@6 >/dev/null 2>&1) || true
fi
node "$source/tests/server/client.mjs" "$program" "$source" "$scratch"
node "$source/tests/server/load.mjs" "$program" "$source" --clients 16 --requests 160
