#!/usr/bin/env bash
# The game's tests: run.sh PROGRAM SOURCE_DIRECTORY. What it measures is looked at for its form, never for its times.
set -u
program=$1 source=$2
cd "$source" || exit 1
. tests/cli/checks.sh

run --help
check "help lists keys and options" 0 "space asks.*Esc quits" ""
run --frames many
check "a number that is none is refused by name" 2 "" "--frames.*many"
run -m no/such/model --headless
check "a model that is not there is named" 1 "" "no/such/model"

run --headless --frames 300 --fps 0 --svg "$scratch/times.svg" --picture "$scratch/last.png"
check "the report has frames without an answer" 0 "^frames without an answer +[0-9]+( +[0-9.]+){4}$" ""
# Answers take more frames where the machine is slow.
check "and with one" 0 "^frames with an answer +([3-9][0-9]{2}|[0-9]{4,})( +[0-9.]+){4}$" ""
check "a plot in letters" 0 "^ 16 to 17 .*<- 16.7 ms$" ""
check "and each bar" 0 "^CPU time of the thread in step, at most .* limit 2.5: (NOT )?(REACHED|reached)$" ""
answers() { sed -nE 's/^answers: ([0-9]+), of which ([0-9]+) say.*/\1 \2/p' "$scratch/out"; }
read -r asked right < <(answers)
if [ "${asked:-0}" -ge 3 ] && [ $((right * 10)) -ge $((asked * 7)) ]; then ok "$right of $asked answers are right"
else bad "only ${right:-no} of ${asked:-no} answers are right"; fi
if head -n 1 "$scratch/times.svg" | grep -q '^<svg .*viewBox' && tail -n 1 "$scratch/times.svg" | grep -q '^</svg>$' &&
  [ "$(grep -c '<rect' "$scratch/times.svg")" -gt 4 ]; then ok "the plot is SVG with bars"
else bad "no plot"; fi
if [ "$(head -c 8 "$scratch/last.png" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]; then ok "the picture is PNG"
else bad "no picture"; fi

run --headless --frames 120 --fps 0 --nv12 --json
check "the report as JSON, with a screen in NV12" 0 \
  '^\{"what":.*NV12.*"frames_with_an_answer":\{"count":[1-9][0-9]{2,},"p50":.*"bars":\[\{.*\}\],"answered":[1-9].*\}$' ""
run --headless --frames 1 --svg "$scratch/no/folder.svg"
check "a file that cannot be written is named" 1 "." "no/folder.svg cannot be written"

capture timeout --signal=INT --preserve-status 3 "$program" --headless --frames 100000
check "Ctrl-C ends it, with what was measured until then" 130 "^frames with an answer +[1-9]" ""

export SDL_VIDEODRIVER=dummy
run --frames 240 --fps 0 --always
check "in a window it says what it sees" 0 '^Describe the image\. -> A (large|small) [a-z]+ [a-z]+ .*\.$' ""
unset SDL_VIDEODRIVER

# As a person plays it: a window, and keys.
test_keys() {
  begin --picture "$scratch/with.png"
  press space
  if wait_for '^How many shapes are there\? -> There (is|are) [1-4] shapes?\.'; then ok "space asks, an answer comes"
  else bad "no answer to a question that space asked"; fi
  if [ "$(grep -c ' -> ' "$scratch/out")" -eq 2 ]; then ok "and without it nothing is asked"
  else bad "something was asked"; fi
  quit
  check "Esc quits, and the times are told" 0 "^frames with an answer +[1-9]" ""

  begin --picture "$scratch/without.png" --nv12
  press h
  if wait_for '^histogram: off$'; then ok "H hides the histogram"; else bad "H does nothing"; fi
  press a
  if wait_for '^What color is the '; then ok "A asks all the time"; else bad "A does nothing"; fi
  quit
  check "Esc quits in the middle of an answer" 0 "^answers: [1-9]" ""
  if /usr/bin/python3 -c 'import PIL' 2>/dev/null; then
    if [ "$(colour "$scratch/with.png" 850 60)" = "250 250 246" ] &&
      [ "$(colour "$scratch/without.png" 850 60)" = "226 228 232" ]; then ok "the histogram is on the screen, or is not"
    else bad "with: $(colour "$scratch/with.png" 850 60), without: $(colour "$scratch/without.png" 850 60)"; fi
  else
    echo "SKIPPED: pictures of the game's window, which need Pillow (Debian: python3-pil)"
  fi
}
if ! command -v Xvfb >/dev/null 2>&1 || ! command -v xdotool >/dev/null 2>&1; then
  echo "SKIPPED: the game in a window, which needs Xvfb and xdotool (Debian: xvfb xdotool)"
else
  . tests/game/window.sh
  test_keys
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
