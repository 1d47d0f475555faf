#!/bin/sh
# Compiles headers and sources the way that the build does not, with all warnings as errors, for their syntax only.
#   headers.sh alone|alone-inner|hostile|each|each-header|together ROOT WORK_DIR COMPILER [FLAG...]
# alone    every header under ROOT that others include as a translation unit of its own, behind the macros of X11 and
#          Qt: it includes what it needs, and no macro of theirs touches it or is lost
# alone-inner  the same for the rooms that only dsvl itself includes
# hostile  all headers under ROOT without exceptions and RTTI, in a host that included X11's headers and defined the names
#          that windows.h, Qt and others are known for; then the host's own code: host_code.hpp and every public type
# each     every header and source under ROOT by itself; with another standard library's headers (FLAG -stdlib=libc++)
#          this shows what is used and not included. Ends with 77 where the compiler has no such library.
# each-header  only the headers
# together  all sources under ROOT in one unit: what another standard library does not know, in a tenth of the time
set -eu

mode=$1 root=$2 work=$3 compiler=$4
here=$(cd "$(dirname "$0")" && pwd)
shift 4
rm -rf "$work"
mkdir -p "$work"

headers=$(cd "$root" && find . -name '*.hpp' | sed 's|^\./||' | sort)
[ -n "$headers" ] || { echo "no headers under $root" >&2; exit 2; }

# What stands for the real headers of X11 and Qt, which bring standard headers along.
desktop_macros() {
  printf '#define %s\n' 'Status int' 'slots' 'signals public' 'emit' 'forever for (;;)' 'foreach(a, b) for (a : b)'
}

# Each is an error where it is used, and otherwise stands for itself, so that one use is one error.
hostile_macros() {
  for name in small near far hyper interface ERROR IN OUT OPTIONAL CONST VOID DELETE NO_ERROR STRICT \
    True False None Bool Always Never Complex Success Above Below Convex Nonconvex Unsorted Opposite \
    slots signals emit forever foreach; do
    printf '#undef %s\n#define %s _Pragma("GCC error \\"uses the name %s, a macro of many hosts\\"") %s\n' \
      "$name" "$name" "$name" "$name"
  done
  for name in min max major minor; do
    printf '#define %s(...) _Pragma("GCC error \\"calls %s without (%s)(...) or %s<T>(...)\\"") %s(__VA_ARGS__)\n' \
      "$name" "$name" "$name" "$name" "$name"
  done
  printf '#define STBI_%s\n' ONLY_BMP NO_PNG NO_JPEG NO_STDIO FAILURE_USERMSG
}

# The types that stand in namespace dsvl itself, by the house's layout: at the beginning of a line, outside namespaces
# that have a name of their own. Templates need arguments and are left out.
public_types() {
  for header in $headers; do
    awk '/^(inline )?namespace [A-Za-z0-9_]+ \{$/ { ++depth; forward = 1; next }
         /^}  \/\/ namespace/ || (forward && /^}$/) { --depth }
         !/^(class|struct) [A-Za-z0-9_]+;$/ { forward = 0 }
         /^template/ || /^ *requires/ { template = 1; next }
         /^(class|struct|enum class) / && depth == 0 && !template {
           sub(/^(class|struct|enum class) (\[\[nodiscard\]\] )?/, "")
           if (!/^[A-Za-z0-9_]+(;|<|::)/ && match($0, /^[A-Za-z0-9_]+/)) print substr($0, 1, RLENGTH)
         }
         { template = 0 }' "$root/$header"
  done | sort -u
}

if [ "$mode" = hostile ]; then
  set -- -fno-exceptions -fno-rtti -I"$here" "$@"
  {
    # Standard and third-party headers cannot stand such macros: a host includes those first. stb_image is not among
    # them, because dsvl includes it in a way of its own; nor is what only other systems have.
    find "$root" -name '*.hpp' -exec sed -n 's/^ *# *include *<\(.*\)>.*/\1/p' {} + | sort -u |
      grep -v -e 'stb_image\.h' -e '^intrin\.h' -e '^arm_neon\.h' | while read -r header; do
      printf '#if __has_include(<%s>)\n#include <%s>\n#endif\n' "$header" "$header"
    done
    printf '#if __has_include(<X11/%s>)\n#include <X11/%s>\n#endif\n' Xlib.h Xlib.h Xutil.h Xutil.h
    printf '#ifndef Status  // X11 is not here\n#define Status int\n#endif\n'
    hostile_macros
    for header in $headers; do
      case $header in *host_macros_*) ;; *) echo "#include <$header>" ;; esac
    done
    printf '#include <host_code.hpp>\n#undef Status\n'
    types=$(public_types)
    [ "$(echo "$types" | grep -c -x -e Status -e Session -e Answer -e Model -e Picture -e Pixels)" = 6 ] ||
      { echo "the list of public types is not right:" $types >&2; exit 2; }
    for type in $types; do echo "using Host$type = dsvl::$type;"; done
    echo 'int main() { return 0; }'
  } >"$work/hostile.cpp"
  echo "$work/hostile.cpp" >"$work/units"
  [ -e /usr/include/X11/Xlib.h ] || echo "SKIPPED: X11's own headers in the hostile host: they are not installed here"
elif [ "$mode" = alone ] || [ "$mode" = alone-inner ]; then
  # Each header with its own definitions and no others': dsvl.hpp does not bring those of the whole library every time.
  set -- -DDSVL_HEADER_ONLY=0 "$@"
  for header in $headers; do
    case $header in
      */constraint/constraint.hpp | */constraint/implementation.hpp | */constraint/limits.hpp | */constraint/typed.hpp)
        of=alone ;;
      */kernels/* | */internal/* | */constraint/*) of=alone-inner ;;
      *) of=alone ;;
    esac
    [ "$mode" = $of ] || continue
    unit=$work/$(echo "$header" | tr '/.' '__').cpp
    {
      desktop_macros
      printf '#include <%s>\n' "$header"
      case $header in *host_macros_push.hpp) printf '#include <%s>\n' "${header%push.hpp}pop.hpp" ;; esac
      for name in Status slots signals emit forever foreach; do
        printf '#ifndef %s\n#error "%s is lost"\n#endif\n' "$name" "$name"
      done
      printf 'static_assert(sizeof(Status) == sizeof(int));\nint main() { return 0; }\n'
    } >"$unit"
    echo "$unit"
  done >"$work/units"
else
  if ! printf '#include <vector>\n' | "$compiler" -std=c++20 "$@" -fsyntax-only -x c++ - >/dev/null 2>&1; then
    echo "SKIPPED: headers and sources of $(basename "$root") with $compiler $1: it is not installed here"
    exit 77
  fi
  # single_header/ is for libraries that are not the installed ones.
  find "$root" -name '*.hpp' ! -name host_code.hpp ! -path '*/single_header/*' | sort >"$work/units"
  [ "$mode" = each-header ] || find "$root" -name '*.cpp' ! -path '*/single_header/*' | sort >>"$work/units"
  if [ "$mode" = together ]; then
    sed -n 's/.*\.cpp$/#include "&"/p' "$work/units" >"$work/together.cpp"
    echo "$work/together.cpp" >"$work/units"
  fi
  set -- "$@" -x c++
fi

# Two at a time; xargs ends with 123 when any of them failed.
xargs -P 2 -n 1 "$compiler" -std=c++20 -fsyntax-only -I"$root" "$@" \
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror <"$work/units"
echo "$(wc -l <"$work/units") units, $mode, $compiler: no complaint"
