#!/bin/sh
# Runs a Windows program under wine, whose messages about itself are not wanted in what a test reads.
#   tests/platforms/wine.sh PROGRAM.exe [ARGUMENT...]
for wine in /usr/lib/wine/wine64 wine64 wine; do
  if command -v "$wine" >/dev/null; then WINEDEBUG=${WINEDEBUG:--all} exec "$wine" "$@"; fi
done
echo "tests/platforms/wine.sh: there is no wine here" >&2
exit 127
