#!/bin/sh
# What is frozen of dsvl/c.h in a compiled library: symbols.txt has the functions that it exports, and nothing else is
# visible. A file of the host's own that defines DSVL_C_IMPLEMENTATION exports nothing at all, whatever its flags say.
#   symbols.sh LIBRARY INCLUDE_DIR WORK_DIR COMPILER [FLAG...]
set -eu

library=$1 include=$2 work=$3 compiler=$4
here=$(cd "$(dirname "$0")" && pwd)
shift 4
rm -rf "$work"
mkdir -p "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

nm -D --defined-only "$library" >"$work/nm"
sed -n 's/^[0-9a-f]* T \([a-z_0-9]*\)@@DSVL_1$/\1/p' "$work/nm" | sort >"$work/exported"
diff "$here/symbols.txt" "$work/exported" >&2 || fail "$library exports (>) other functions than symbols.txt says (<)"
! grep -v -e ' T dsvl_[a-z_0-9]*@@DSVL_1$' -e ' A DSVL_1' "$work/nm" >&2 || fail "$library exports these as well"
# A unique symbol, or a flag, would keep dlclose() from unloading it.
! readelf --wide --dyn-syms "$library" | grep ' UNIQUE ' >&2 || fail "$library has unique symbols"
! readelf --wide --dynamic "$library" | grep NODELETE >&2 || fail "$library is never unloaded"
readelf --wide --dynamic "$library" | grep -q 'SONAME.*libdsvl\.so\.1\]' || fail "$library is not libdsvl.so.1"

# The functions that c.h declares are those of the list.
sed -n 's/^DSVL_C_API .*\(dsvl_[a-z_]*\)(.*/\1/p' "$include/dsvl/c.h" | sort >"$work/declared"
diff "$here/symbols.txt" "$work/declared" >&2 || fail "c.h declares (>) other functions than symbols.txt says (<)"

# What is defined in the host's file and visible outside it, with the compiler's default visibility.
printf '#define DSVL_C_IMPLEMENTATION\n#include <dsvl/c.h>\n' >"$work/host.cpp"
"$compiler" -std=c++20 -O0 -fPIC -fvisibility=default -DDSVL_HEADER_ONLY=0 "-I$include" "$@" -c "$work/host.cpp" \
  -o "$work/host.o"
readelf --wide --syms "$work/host.o" | grep -v -e ' UND ' -e ' LOCAL ' >"$work/symbols"
[ "$(grep -c ' HIDDEN .* dsvl_' "$work/symbols")" = "$(wc -l <"$here/symbols.txt")" ] ||
  fail "a host's own file does not define all functions, hidden"
# (Templates of the standard library over enumerations of dsvl's are: they are the same in every copy.)
! grep ' DEFAULT .*4dsvl' "$work/symbols" | grep -v ' _ZN\{0,1\}K\{0,1\}[RO]\{0,1\}St' >&2 ||
  fail "a host's own file exports these of dsvl's"
echo "$(wc -l <"$here/symbols.txt") functions, and nothing else"
