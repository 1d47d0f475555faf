#!/bin/sh
# A unit of kernels exports kernels_of() and shares no function with units for other processors: the linker keeps one
# of several equal symbols, perhaps one with instructions that the machine lacks.
# Nor does a lambda stay a call where it is unrolled: sums would go through memory (see DSVL_KERNEL in base/config.hpp).
#   isa_symbols.sh LIBRARY            one line per such symbol, and exit code 1, when there is one
#   isa_symbols.sh --self-test COMPILER WORK_DIR
set -eu

# Weak functions (W) and objects (V, u) outside the namespace of an instruction set. What personality routines are
# called through is data, equal in all units.
foreign() {
  nm -C "$1" | grep -E ' [WVu] ' | grep -v -e 'dsvl::v[0-9_]*::kernels::\(sse\|avx\|neon\)[0-9a-z_]*::' \
    -e 'DW\.ref\.__gxx_personality_v0'
}

# Lambdas that are functions. Those that these call once for a tile, a row or a block of rows may be; not those within.
called() {
  own='for_each_row_block<\|attention_detail::\(score\|value\)_block<\|linear(\|for_each_weight_vector<'
  nm -C "$1" | grep ' [tTW] ' | grep '{lambda' | grep -v "::kernels::[a-z0-9_]*::\($own\)" || true
  nm -C "$1" | grep ' [tTW] ' | grep ' const::{lambda' || true
}

if [ "$1" = --self-test ]; then
  mkdir -p "$3"
  cat >"$3/foreign.cpp" <<'END'
namespace dsvl::v0_1 {
namespace kernels::avx2 {
template <class T> __attribute__((noinline)) T own(T x) { return x + 1; }
int of_lambda(int x) { return [&](auto y) __attribute__((noinline)) { return x + y; }(x); }
int linear(int x) {
  return [&](auto y) __attribute__((noinline)) { return [&](auto z) __attribute__((noinline)) { return x + z; }(y); }(x);
}
}
template <class T> __attribute__((noinline)) T foreign(T x) { return x + 1; }
}
int both(int x) { return dsvl::v0_1::foreign(x) + dsvl::v0_1::kernels::avx2::own(x); }
END
  "$2" -std=c++20 -O2 -c "$3/foreign.cpp" -o "$3/foreign.o"
  [ "$(foreign "$3/foreign.o" | wc -l)" = 1 ] || { echo "a foreign symbol is not seen" >&2; exit 1; }
  [ "$(called "$3/foreign.o" | sort -u | wc -l)" = 2 ] || { echo "two lambdas that are calls are not seen" >&2; exit 1; }
  exit 0
fi

[ "$(nm -C "$1" | grep -c ' T .*dsvl::.*::kernels_of<')" -gt 0 ] || { echo "$1 exports no kernels" >&2; exit 1; }
found=$(foreign "$1" || true; called "$1")
if [ -n "$found" ]; then
  printf '%s\n' "$found"
  exit 1
fi
echo "$1: no foreign symbol, no lambda that is a call"
