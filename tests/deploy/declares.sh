#!/bin/sh
# What a file gets that only declares dsvl (DSVL_HEADER_ONLY=0): the headers of the list below, the standard library's
# light ones, and nothing of the system, of xsimd, nlohmann/json or stb_image. Who adds a header here makes every file of
# every application slower to compile, so it has to be said in this list.
#   declares.sh INCLUDE_DIR WORK_DIR COMPILER
set -eu

include=$1 work=$2 compiler=$3
rm -rf "$work"
mkdir -p "$work"

cat >"$work/expected" <<'END'
base/config.hpp
base/function_ref.hpp
base/host.hpp
base/host_macros_pop.hpp
base/host_macros_push.hpp
base/picture_decoder.hpp
base/pixels.hpp
base/precision.hpp
base/status.hpp
base/until.hpp
base/view.hpp
chat/answer.hpp
chat/answer_attention.hpp
chat/model.hpp
chat/model_info.hpp
chat/options.hpp
chat/picture.hpp
chat/plan.hpp
chat/seen.hpp
chat/session.hpp
dsvl.hpp
engine/limits.hpp
engine/usage.hpp
io/folder.hpp
io/path_text.hpp
model/report.hpp
text/sampler_options.hpp
text/system_text.hpp
vision/token_map.hpp
END

# reached FLAG FILE: the files that it includes, one a line, without detours (chat/../base).
reached() {
  "$compiler" -std=c++20 -DDSVL_HEADER_ONLY=0 "$1" "-I$include" "$2" | tr ' \\' '\n\n' | grep -v -e ':$' -e '^$' |
    sed -e ':again' -e 's|[^/.][^/]*/\.\./||' -e 't again' | sort -u
}

echo '#include <dsvl/dsvl.hpp>' >"$work/dsvl.cpp"
reached -MM "$work/dsvl.cpp" | sed -n 's|^.*/dsvl/||p' | sort -u >"$work/own"
if ! diff "$work/expected" "$work/own" >"$work/difference"; then
  echo "dsvl.hpp declares with other headers than the list in tests/deploy/declares.sh says (<) it does (>):" >&2
  cat "$work/difference" >&2
  exit 1
fi

for header in array atomic cassert chrono concepts cstdarg cstddef cstdint cstdio cstring filesystem initializer_list \
  memory optional span string string_view type_traits utility variant vector; do
  echo "#include <$header>"
done >"$work/standard.cpp"
reached -M "$work/standard.cpp" >"$work/standard"
reached -M "$work/dsvl.cpp" | grep -v -e '/dsvl/' -e "^$work/" >"$work/all"
if grep -v -x -F -f "$work/standard" "$work/all" >"$work/surplus"; then
  echo "dsvl.hpp reaches headers of the system or of other libraries where it only declares:" >&2
  cat "$work/surplus" >&2
  exit 1
fi
echo "$(wc -l <"$work/own") headers of dsvl, and none beyond the standard library's"
