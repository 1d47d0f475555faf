#!/usr/bin/env bash
# Makes a checkpoint of full size, compares what it computes with PyTorch's results, and takes it away again.
#   tests/model/full.sh DSVL TEST_MODEL SIZE LAYOUT [DIRECTORY]
# SIZE 1.3b or 7b, LAYOUT hf or original; 4 or 15 GB in DIRECTORY (default: build/full). With KEEP=1 the checkpoint stays
# and is used again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dsvl=$1 test_model=$2 size=$3 layout=$4 checkpoint=${5:-build/full}/$3-$4
if [ ! -d "$checkpoint" ]; then
  [ -n "${KEEP:-}" ] || trap 'rm -rf "$checkpoint"' EXIT
  time "$dsvl" synth --quiet --size "$size" --layout "$layout" "$checkpoint"
fi
time DSVL_FULL_CHECKPOINT=$checkpoint "$test_model" --test-suite=full
