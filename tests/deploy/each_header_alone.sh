#!/bin/sh
# Compiles every header as a translation unit of its own, with all warnings as errors.
#   each_header_alone.sh plain|hostile INCLUDE_DIR WORK_DIR COMPILER [FLAG...]
# plain    nothing before it: the header includes what it needs
# hostile  without exceptions and RTTI, after a host that defined the names that windows.h and others are known for
set -eu

mode=$1 include=$2 work=$3 compiler=$4
shift 4
rm -rf "$work"
mkdir -p "$work"

flags="-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I$include $*"
[ "$mode" = plain ] || flags="$flags -fno-exceptions -fno-rtti"

# Standard and third-party headers cannot stand such macros themselves: a hostile host includes them first. stb_image
# is not among them, because dsvl includes it in a way of its own.
prelude="$work/prelude.hpp"
if [ "$mode" = hostile ]; then
  find "$include" -name '*.hpp' -exec sed -n 's/^ *# *include *<\(.*\)>.*/\1/p' {} + | grep -v -e 'stb_image\.h' -e '^dsvl/' |
    sort -u | while read -r header; do
    printf '#if __has_include(<%s>)\n#include <%s>\n#endif\n' "$header" "$header"
  done >"$prelude"
  # Each expands to something that no grammar has, so any use is an error that names the macro.
  for name in small near far hyper interface ERROR IN OUT OPTIONAL CONST VOID DELETE NO_ERROR STRICT \
    True False None Bool Always Complex; do
    printf '#define %s %%%% macro_%s %%%%\n' "$name" "$name"
  done >>"$prelude"
  for name in min max major minor; do
    printf '#define %s(a, b) %%%% macro_%s %%%%\n' "$name" "$name"
  done >>"$prelude"
  printf '#define STBI_%s\n' ONLY_BMP NO_PNG NO_JPEG NO_STDIO FAILURE_USERMSG >>"$prelude"
fi

headers=$(cd "$include" && find . -name '*.hpp' | sed 's|^\./||' | sort)
[ -n "$headers" ] || { echo "no headers under $include" >&2; exit 2; }

for header in $headers; do
  unit="$work/$(echo "$header" | tr '/.' '__').cpp"
  {
    [ "$mode" = plain ] || echo '#include "prelude.hpp"'
    echo "#include <$header>"
    echo "int main() { return 0; }"
  } >"$unit"
  echo "$unit"
done >"$work/units"

# Two at a time; xargs gives 123 when any of them failed.
xargs -P 2 -n 1 "$compiler" $flags <"$work/units"
echo "$(wc -l <"$work/units") headers, each alone, $mode, $compiler: no complaint"
