# The game in a window of Xvfb, with keys from xdotool, for the scripts of this folder: $program, and $scratch of
# tests/cli/checks.sh.

# wait_for PATTERN: until the game has printed it, for half a minute at most.
wait_for() {
  for _ in $(seq 300); do
    grep -Eq -- "$1" "$scratch/out" && return 0
    sleep 0.1
  done
  return 1
}
# colour FILE X Y: of a pixel, as "r g b".
colour() { /usr/bin/python3 -c 'import sys; from PIL import Image
print(*Image.open(sys.argv[1]).convert("RGB").getpixel((int(sys.argv[2]), int(sys.argv[3]))))' "$@"; }

# Xvfb chooses a display that is free, and says which.
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>"$scratch/display" >/dev/null 2>&1 &
xvfb=$!
trap 'kill "$xvfb" 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do [ -s "$scratch/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$scratch/display")
export DISPLAY

# begin ARGUMENT...: the game, until its window is there and the first answer has come.
begin() {
  : >"$scratch/out"
  "$program" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
  game=$!
  window=$(timeout 30 xdotool search --sync --onlyvisible --name '^dsvl$' | head -n 1)
  wait_for ' -> '
}
press() { xdotool windowfocus "$window" key "$1"; }
quit() {
  press Escape
  for _ in $(seq 100); do kill -0 "$game" 2>/dev/null || break; sleep 0.1; done
  if kill -0 "$game" 2>/dev/null; then kill "$game"; fi
  wait "$game"
  code=$?
}
