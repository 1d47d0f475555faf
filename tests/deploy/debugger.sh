#!/bin/sh
# What gdb shows of dsvl's types with examples/debugger/dsvl_gdb.py, and whether dsvl.natvis names members that are there.
#   debugger.sh SOURCE_DIR WORK_DIR COMPILER
# Ends with 77 where there is no gdb that reads Python and may run programs.
set -eu

source=$1 work=$2 compiler=$3
rm -rf "$work"
mkdir -p "$work"

# Visual Studio is silent about a name that it cannot find: every word of an expression must be in a header.
words=$(sed -e 's/<!--.*//; s/&[a-z]*;/ /g' -e 's/dsvl::v[0-9]*_[0-9]*::/ /g' "$source/examples/debugger/dsvl.natvis" |
  grep -oE 'Condition="[^"]*"|\{[^}]*\}|>[^<{}]*</(Item|Size|ValuePointer|ValueNode)' |
  sed -e 's/Condition=//; s/<.*//; s/,[a-z0-9]*}//' | tr -c 'A-Za-z0-9_\n' '\n' | grep '[a-z]' | sort -u)
[ "$(echo "$words" | grep -cx -e value_ -e error_ -e text_ -e stride -e block_count -e channels)" = 6 ] ||
  { echo "the list of words in dsvl.natvis is not right:" $words >&2; exit 2; }
for word in $words; do
  case $word in nullptr | i | const | void) continue ;; esac
  grep -qw "$word" "$source"/include/dsvl/base/status.hpp "$source"/include/dsvl/base/view.hpp \
    "$source"/include/dsvl/base/matrix.hpp || { echo "dsvl.natvis: no header has $word" >&2; exit 1; }
done
abi=$(sed -n 's/#define DSVL_ABI //p' "$source/include/dsvl/base/config.hpp")
if grep -o 'dsvl::v[0-9_]*' "$source/examples/debugger/dsvl.natvis" | grep -vx "dsvl::$abi"; then
  echo "dsvl.natvis: the namespace is dsvl::$abi" >&2
  exit 1
fi

if ! gdb -nx -batch -ex 'python print(1)' >/dev/null 2>&1; then
  echo "SKIPPED: what gdb shows of dsvl's types: there is no gdb with Python here"
  exit 77
fi
"$compiler" -std=c++20 -g -O0 -I"$source/include" "$source/tests/deploy/debugger.cpp" -o "$work/debugger"
cat >"$work/expected" <<'END'
$1 = ok
$2 = bad_file: model.gguf: header of 3 bytes
$3 = value = {value = std::optional = {[contained value] = 42}}
$4 = error, not_found: no such file
$5 = (2, 3) float = {[0] = {1, 2, 3}, [1] = {4, 5, 6}}
$6 = (2, 2) float, 3 from row to row = {[0] = {1, 2}, [1] = {4, 5}}
$7 = (2, 3) const float = {[0] = {1, 2, 3}, [1] = {4, 5, 6}}
$8 = (0, 0) float without memory
$9 = (3, 1, 2) float = {[0] = {1, 2}, [1] = {3, 4}, [2] = {5, 6}}
$10 = (16, 32) q8_0 = {[0] = 16 rows of q8_0 at 0x...}
$11 = empty
END
set -- -ex 'break look' -ex run -ex up
for name in fine broken number none whole left constant nothing picture matrix empty; do set -- "$@" -ex "print $name"; done
gdb -nx -batch -iex 'set debuginfod enabled off' -ex "source $source/examples/debugger/dsvl_gdb.py" "$@" "$work/debugger" \
  >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
if grep -q 'ptrace\|Operation not permitted\|Could not trace' "$work/log"; then
  echo "SKIPPED: what gdb shows of dsvl's types: gdb may not run programs here"
  exit 77
fi
# Versions of the standard library name optional's insides in their own way; addresses differ.
grep '^\$' "$work/log" | sed -e 's/std::optional[^=]*=/std::optional =/; s/0x[0-9a-f]*/0x.../; s/"\(16 rows[^"]*\)"/\1/' \
  >"$work/shown" || true
[ -s "$work/shown" ] || { cat "$work/log" >&2; exit 1; }
diff "$work/expected" "$work/shown"
echo "gdb shows 11 objects as they are meant"
