#!/bin/sh
# Makes the API reference with doxygen (.github/docs): the headers that dsvl.hpp and convert/convert.hpp bring to a file
# that only declares, the C interface, and a page for each task, made of the examples. What doxygen warns about is an error: a type, a
# function or a field without a comment, too.
#   reference.sh SOURCE_DIR WORK_DIR COMPILER
# The pages are in WORK_DIR/html. Ends with 77 where doxygen is missing.
set -eu

source=$1 work=$2 compiler=$3
if ! command -v doxygen >/dev/null 2>&1; then
  echo "SKIPPED: the API reference: doxygen is not installed here"
  exit 77
fi
rm -rf "$work"
mkdir -p "$work"
cd "$source"

# As they are included, without detours (chat/../base); host_macros_push.hpp and its like declare nothing.
headers=$("$compiler" -std=c++20 -DDSVL_HEADER_ONLY=0 -MM -Iinclude include/dsvl/dsvl.hpp include/dsvl/convert/convert.hpp | tr ' \\' '\n\n' |
  grep '\.hpp' | sed -e ':again' -e 's|[^/.][^/]*/\.\./||' -e 't again' | grep -v '_macros_' | sort -u)
{
  cat .github/docs/Doxyfile
  echo "PROJECT_NUMBER = $(sed -n 's/#define DSVL_VERSION_STRING "\(.*\)"/\1/p' include/dsvl/base/config.hpp)"
  echo INPUT = $headers include/dsvl/c.h .github/docs
  echo "STRIP_FROM_PATH = include"
  echo "EXAMPLE_PATH = examples"
  echo "OUTPUT_DIRECTORY = $work"
  echo "WARN_LOGFILE = $work/warnings"
} >"$work/Doxyfile"
doxygen "$work/Doxyfile"

for page in ask saw stream cancel game_loop host convert save from_c classdsvl_1_1Session classdsvl_1_1Status c_8h; do
  grep -q '</html>' "$work/html/$page.html" || { echo "the reference has no page $page" >&2; exit 1; }
done
if [ -s "$work/warnings" ]; then
  cat "$work/warnings" >&2
  exit 1
fi
while read -r function; do
  grep -q ">$function</" "$work/html/c_8h.html" || { echo "the reference does not have $function" >&2; exit 1; }
done <tests/c/symbols.txt
echo "$(echo "$headers" | wc -l) headers: $work/html/index.html"
