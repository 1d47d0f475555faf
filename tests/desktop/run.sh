#!/usr/bin/env bash
# The window's tests: run.sh PROGRAM SOURCE_DIRECTORY SCRATCH [SCRIPT]. A screen is started for them. With picture.py as
# SCRIPT it takes README's pictures.
set -eu
program=$1 source=$2 scratch=$3 script=${4:-desktop.py}
python=python3
"$python" -c "import PIL" 2>/dev/null || python=/usr/bin/python3 # where Debian's packages are
command -v "$python" >/dev/null 2>&1 || { echo "SKIPPED: the window's tests, which need python3"; exit 77; }
mkdir -p "$scratch"
exec "$python" "$source/tests/desktop/$script" "$program" "$source" "$scratch"
