#!/usr/bin/env bash
# From a fresh clone to answers about pictures: installs what is missing, builds the program dsvl, and asks the small
# model that ships with the project three questions. Run again, it only asks.
#
# Debian 12, Ubuntu 24.04 or later. Elsewhere install a C++20 compiler, CMake, Ninja, xsimd 8, nlohmann/json and stb
# first.
set -euo pipefail
case ${1:-} in
  -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
model=examples/models/tiny-vl
log=build/quickstart.log
mkdir -p build

started=$(date +%s%N)
seconds_since() { awk -v from="$1" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }'; }

# Runs quietly; shows what was said only when it went wrong.
quietly() {
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "FAILED: $* (all of its output: $log)" >&2
    exit 1
  fi
}

sh examples/install-dependencies.sh build

# On the first run only: whoever configured build/ another way keeps that.
first=()
if [ ! -f build/CMakeCache.txt ]; then
  # Sources in units of eight take half of the time.
  first=(-DCMAKE_BUILD_TYPE=Release -DDSVL_NATIVE=ON -DDSVL_TESTS=OFF -DDSVL_BENCHMARKS=OFF -DCMAKE_UNITY_BUILD=ON)
  command -v ninja >/dev/null 2>&1 && first+=(-G Ninja)
fi
building=$(date +%s%N)
[ -x build/bin/dsvl ] || echo "Building build/bin/dsvl for this machine's processor"
quietly cmake -S . -B build -DDSVL_EXAMPLES=ON "${first[@]}"
quietly cmake --build build --target dsvl_cli --parallel "$(nproc 2>/dev/null || echo 2)"
built=$(seconds_since "$building")

first_answer=
ask() {
  echo
  echo "\$ build/bin/dsvl ask -m $model -i $model/demo/$1 \"$2\""
  build/bin/dsvl ask -m "$model" -i "$model/demo/$1" "$2"
  [ -n "$first_answer" ] || first_answer=$(seconds_since "$started")
}
ask 000.png "Which bar is the tallest?"
ask 002.png "Describe the image."
ask 037.png "What does the text say?"

cat <<END

First answer after $first_answer s, of which $built s went into building.

The pictures lie in $model/demo. This model is tiny: it knows shapes, colours, bar charts and short texts.
  Your own picture        build/bin/dsvl ask -m $model -i picture.png "What is in the image?"
  A published checkpoint  build/bin/dsvl ask -m deepseek-vl-1.3b-chat -i photo.jpg "What is in the picture?"
                          where -m names a folder from huggingface.co/deepseek-ai or huggingface.co/deepseek-community
                          (config.json, tokenizer.json and *.safetensors, as they are: nothing is converted)
  Several turns           build/bin/dsvl chat -m $model -i $model/demo/002.png
  The other examples      cmake --build build, then build/bin/01_hello and so on
END
