#!/usr/bin/env bash
# Takes README's picture of the game, in a window of Xvfb: picture.sh PROGRAM examples/game/game.png
set -eu
program=$1 picture=$2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/cli/checks.sh
. tests/game/window.sh
begin --picture "$picture" --seed 3
press a  # it is asked all the time, which fills the histogram
sleep 20
press a
# Three or four shapes, told right.
until tail -n 1 "$scratch/out" | grep -q '^Describe the image.*, a .* and a [^(]*$'; do
  told=$(grep -c ' -> ' "$scratch/out")
  press space
  until [ "$(grep -c ' -> ' "$scratch/out")" -gt "$told" ]; do sleep 0.1; done
done
quit
