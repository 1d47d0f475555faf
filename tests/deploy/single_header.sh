#!/bin/sh
# Makes dsvl as one file in its two forms, and the unit of kernels as a third, and uses each with nothing else of dsvl's
# on the include path: builds examples/01_hello.cpp, and a host that has libraries of the same names as those inside.
#   single_header.sh GENERATOR SOURCE_DIR WORK_DIR COMPILER DIR...
# GENERATOR is examples/single_header's program; DIRs have xsimd, nlohmann/json and stb_image.h.
set -eu

generator=$1 source=$2 work=$3 compiler=$4
here=$(cd "$(dirname "$0")" && pwd)/single_header
shift 4
rm -rf "$work"
mkdir -p "$work/plain" "$work/whole" "$work/unit" "$work/again"
model=$source/examples/models/tiny-vl
picture=$model/demo/000.png
expected='There are 4 bars.'

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
said() {
  cat "$work/said" >&2
  fail "$*"
}
# -O1 is what builds soonest and still answers at once.
compile() {
  "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror "$@" >"$work/said" 2>&1
}
answers() {
  "$@" >"$work/said" 2>&1 || said "$1 failed"
  [ "$(cat "$work/said")" = "$expected" ] || said "$1 gave another answer than '$expected'"
}

# --- the files ---
# They lie under the name that the example includes.
"$generator" "$source" dsvl/dsvl.hpp "$work/plain/dsvl/dsvl.hpp"
"$generator" "$source" dsvl/dsvl.hpp "$work/whole/dsvl/dsvl.hpp" "$@"
"$generator" "$source" dsvl/kernels/unit.hpp "$work/unit/dsvl_unit.hpp" "$@"
(cd "$source" && "$generator" . dsvl/dsvl.hpp "$work/again/dsvl.hpp" "$@" >/dev/null)
cmp "$work/whole/dsvl/dsvl.hpp" "$work/again/dsvl.hpp" || fail "made again it has other bytes"
echo "ok      equal sources give equal bytes"

! grep -n '^ *# *include *"' "$work/plain/dsvl/dsvl.hpp" || fail "a header of ours is still an include"
! grep -n '^ *# *include *<\(xsimd\|nlohmann\)/' "$work/whole/dsvl/dsvl.hpp" "$work/unit/dsvl_unit.hpp" ||
  fail "a library is still an include"
! grep -n "$source\|$work" "$work"/*/dsvl/dsvl.hpp || fail "names a folder of the machine that made it"
for text in 'Redistributions in binary form must reproduce' 'Copyright (c) .* Niels Lohmann' 'Sean Barrett' \
  'The dsvl authors'; do
  grep -q "$text" "$work/whole/dsvl/dsvl.hpp" || fail "the licence with \"$text\" is missing"
done
echo "ok      nothing is left to include but libraries, and no licence is missing"

# Kernels take longest to compile, and come from the unit: one file as well, with an instruction set of its own. That they
# also compile where they are included is checked for its syntax.
flags=
for directory in "$@"; do flags="$flags -isystem $directory"; done
case $flags in *" /usr/include"*) flags= ;; esac # the compiler's own: named, it would hide some of them
case $(uname -m) in x86_64 | amd64) isa=sse2 ;; aarch64 | arm64) isa=neon64 ;; *) isa= ;; esac
kernels=
if [ -n "$isa" ]; then
  echo '#include "dsvl_unit.hpp"' >"$work/unit/unit.cpp"
  compile -O2 -c "$work/unit/unit.cpp" -o "$work/unit/unit.o" || said "the unit of kernels does not compile"
  kernels="-DDSVL_DISPATCH=$isa $work/unit/unit.o"
fi

# --- one file, libraries as includes ---
hello=$source/examples/01_hello.cpp
# shellcheck disable=SC2086  # lists of flags, here and below
compile -O1 -I"$work/plain" $flags "$hello" $kernels -pthread -o "$work/plain/hello" ||
  said "examples/01_hello.cpp does not compile with one file"
answers "$work/plain/hello" "$model" "$picture"
# shellcheck disable=SC2086
compile -fsyntax-only -I"$work/plain" $flags "$hello" || said "one file with kernels has complaints"
echo "ok      examples/01_hello.cpp from dsvl.hpp alone"

# --- one file with everything ---
# shellcheck disable=SC2086
compile -O1 -I"$here/other" -I"$work/whole" "$here/host.cpp" "$here/other.cpp" $kernels -pthread -o "$work/whole/host" ||
  said "a host with other libraries does not compile with the file that has everything"
answers "$work/whole/host" "$model" "$picture"
compile -fsyntax-only -I"$here/other" -I"$work/whole" "$here/host.cpp" || said "everything with kernels has complaints"
cat >"$work/parts.cpp" <<'CODE'
#define DSVL_WITH_SCHEDULER
#define DSVL_WITH_CONSTRAINTS
#define DSVL_WITH_FRAMES
#define DSVL_WITH_PREVIEWS
#define DSVL_WITH_GATE
#include <dsvl/dsvl.hpp>
struct Sign { std::string text; };
template <class Fields> void describe(Fields& f, Sign& s) { f("text", s.text); }
int main() {
  auto model = dsvl::Model::load("model", {.constraints = &dsvl::kConstraints});
  auto scheduler = dsvl::Scheduler::open(*model, {.sessions = 2});
  auto session = scheduler->session();
  dsvl::Frames frames({.most = 2});
  const auto shown = dsvl::prepare_picture(*model, dsvl::Picture::file("sign.png"));
  if (!shown || shown->low.pixels().width == 0 || frames.size() > 0) return 1;
  if (!dsvl::decode_picture(dsvl::Picture::file("sign.png"))) return 1;
  const auto gate = dsvl::Gate::open(*model);
  if (gate && !gate->yes_no(*session, dsvl::Picture::file("sign.png"), "Is there a sign?")) return 1;
  return dsvl::ask<Sign>(*session, dsvl::Picture::file("sign.png"), "Read the sign.").has_value() ? 0 : 1;
}
CODE
compile -fsyntax-only -I"$work/whole" "$work/parts.cpp" || said "the parts that macros turn on do not compile"
echo "ok      dsvl_all.hpp alone, in a host with other libraries of the same names, in the same file and in another"
printf '#include <%s>\n' xsimd/xsimd.hpp nlohmann/json.hpp dsvl/dsvl.hpp >"$work/same.cpp"
echo 'int main() { return static_cast<int>("[]"_json.size()) + static_cast<int>(xsimd::batch<float>(0).get(0)); }' \
  >>"$work/same.cpp"
# shellcheck disable=SC2086
compile -fsyntax-only -I"$work/whole" $flags "$work/same.cpp" || said "a host with the same libraries does not compile"
echo "ok      dsvl_all.hpp in a host with the same libraries"
