#!/bin/sh
# Compiles headers the way that the tests' own sources do not, with all warnings as errors.
#   headers.sh alone|hostile INCLUDE_DIR WORK_DIR COMPILER [FLAG...]
# alone    every header as a translation unit of its own: it includes what it needs
# hostile  all headers without exceptions and RTTI, in a host that defined the names that windows.h and others are
#          known for before it included them
set -eu

mode=$1 include=$2 work=$3 compiler=$4
shift 4
rm -rf "$work"
mkdir -p "$work"

headers=$(cd "$include" && find . -name '*.hpp' | sed 's|^\./||' | sort)
[ -n "$headers" ] || { echo "no headers under $include" >&2; exit 2; }

if [ "$mode" = hostile ]; then
  set -- -fno-exceptions -fno-rtti "$@"
  {
    # Standard and third-party headers cannot stand such macros: a host includes those first. stb_image is not among
    # them, because dsvl includes it in a way of its own; nor is what only other systems have.
    find "$include" -name '*.hpp' -exec sed -n 's/^ *# *include *<\(.*\)>.*/\1/p' {} + | sort -u |
      grep -v -e 'stb_image\.h' -e '^intrin\.h' | while read -r header; do
      printf '#if __has_include(<%s>)\n#include <%s>\n#endif\n' "$header" "$header"
    done
    # Each is an error where it is used, and otherwise stands for itself, so that one use is one error.
    for name in small near far hyper interface ERROR IN OUT OPTIONAL CONST VOID DELETE NO_ERROR STRICT \
      True False None Bool Always Complex; do
      printf '#define %s _Pragma("GCC error \\"uses the name %s, a macro of many hosts\\"") %s\n' "$name" "$name" "$name"
    done
    for name in min max major minor; do
      printf '#define %s(...) _Pragma("GCC error \\"calls %s without (%s)(...) or %s<T>(...)\\"") %s(__VA_ARGS__)\n' \
        "$name" "$name" "$name" "$name" "$name"
    done
    printf '#define STBI_%s\n' ONLY_BMP NO_PNG NO_JPEG NO_STDIO FAILURE_USERMSG
    for header in $headers; do echo "#include <$header>"; done
    echo 'int main() { return 0; }'
  } >"$work/hostile.cpp"
  echo "$work/hostile.cpp" >"$work/units"
else
  for header in $headers; do
    unit=$work/$(echo "$header" | tr '/.' '__').cpp
    printf '#include <%s>\nint main() { return 0; }\n' "$header" >"$unit"
    echo "$unit"
  done >"$work/units"
fi

# Two at a time; xargs ends with 123 when any of them failed.
xargs -P 2 -n 1 "$compiler" -std=c++20 -fsyntax-only -I"$include" "$@" \
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror <"$work/units"
echo "$(echo "$headers" | wc -l) headers, $mode, $compiler: no complaint"
