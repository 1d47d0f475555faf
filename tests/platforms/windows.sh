#!/usr/bin/env bash
# The program dsvl of a build for Windows, under wine: names of files in any script and of any length, Ctrl-C, exit codes.
#   tests/platforms/windows.sh BUILD_DIRECTORY
set -u
bin=$(cd "$1/bin" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
. tests/cli/checks.sh
program=$scratch/dsvl
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$PWD/tests/platforms/wine.sh" "$bin/dsvl.exe" >"$program"
chmod +x "$program"
model=examples/models/tiny-vl

run --version; check "it says its version and kernels" 0 '^dsvl [0-9.]+ \((sse2|avx2\+fma)\)' ''
run ask -m $model -i $model/demo/000.png 'Which bar is the tallest?'
check "it answers, with paths as they are written elsewhere" 0 '^The green bar\.' ''
run ask -m "$(tr / '\\' <<<$model)" -i "$(tr / '\\' <<<$model/demo/002.png)" 'Describe the image.'
check "it answers, with backslashes" 0 . ''

# --- names -------------------------------------------------------------------------------------------
cyrillic="$scratch/Модель № 1" chinese="$scratch/图片 画像"
mkdir "$cyrillic" "$chinese"
cp $model/*.* "$cyrillic"
cp $model/demo/000.png "$chinese/棒グラフ 😀.png"
run ask -m "$cyrillic" -i "$chinese/棒グラフ 😀.png" 'How many bars are there?'
check "a model and a picture with Cyrillic, Chinese and Japanese names" 0 '^There are 4 bars\.' ''
run convert "$cyrillic" "$chinese/модель.gguf"
check "it writes a file with a Cyrillic name" 0 'модель\.gguf: ' ''
if [ -s "$chinese/модель.gguf" ]; then ok "and there it is"; else bad "and there it is"; fi
run ask -m "$chinese/модель.gguf" -i $model/demo/000.png 'How many bars are there?'
check "and maps it" 0 '^There are 4 bars\.' ''
run ask -m "$cyrillic/нет такой" hi; check "a model that is not there is named" 1 '' 'нет такой'
run ask -m $model 'Что на картинке?'; check "a question in Russian arrives as it was written" 0 . ''

long=$scratch
while [ ${#long} -lt 400 ]; do long="$long/a folder with a long name"; done
mkdir -p "$long"
cp $model/*.* "$long"
cp $model/demo/000.png "$long"
# Windows takes such a path behind this prefix always, and without it where the system is set so; wine takes both.
for prefix in 'Z:' '\\?\Z:'; do
  there=$prefix$(tr / '\\' <<<"$long")
  run ask -m "$there" -i "$there\\000.png" 'How many bars are there?'
  check "a path of ${#there} characters, behind $prefix" 0 '^There are 4 bars\.' ''
  run convert "$there" "$there\\model.gguf"
  check "and a file is written there" 0 'model\.gguf: ' ''
  run ask -m "$there\\model.gguf" -i "$there\\000.png" 'How many bars are there?'
  check "and mapped" 0 '^There are 4 bars\.' ''
  rm -f "$long/model.gguf"
done

# --- pipes, and Ctrl-C --------------------------------------------------------------------------------
"$program" ask -m $model -i - 'How many bars are there?' <$model/demo/000.png >"$scratch/out" 2>"$scratch/err"
code=$?
check "a picture from a pipe, byte by byte" 0 '^There are 4 bars\.' ''
# wine has a console where there is a terminal.
cat >"$scratch/interrupt" <<END
exec tests/platforms/wine.sh "$bin/platform_interrupt.exe" 3000 '"$(tr / '\\' <<<"Z:$bin/dsvl.exe")" bench -m $model --runs 1000'
END
capture env TERM=xterm script -qec "bash $scratch/interrupt" /dev/null
if [ "$code" -eq 130 ]; then ok "Ctrl-C stops it, with the exit code for that"; else bad "Ctrl-C: exit code $code"; fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
