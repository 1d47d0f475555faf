#!/bin/sh
# examples/python as a data scientist has it: `pip install` of a wheel with the library inside, without the network, then
# the tests of python_binding.py and the examples.
#   python.sh PYTHON LIBRARY SOURCE_DIR WORK_DIR
# Without a LIBRARY ("") pip builds it, as it does for a user, for a minute or two.
set -eu

python=$1 library=$2 source=$3 work=$4
here=$(cd "$(dirname "$0")" && pwd)
missing=
for module in numpy PIL pip; do
  "$python" -c "import $module" 2>/dev/null || missing="$missing $module"
done
if [ -n "$missing" ]; then
  echo "SKIPPED: the Python binding: $python lacks$missing (Debian: python3-numpy python3-pil python3-pip)"
  exit 77
fi
rm -rf "$work"
mkdir -p "$work/frozen"

export PYTHONDONTWRITEBYTECODE=1
unset DSVL_LIBRARY
install() {
  "$python" -m pip --disable-pip-version-check --no-input install --no-index --no-cache-dir \
    --root-user-action ignore --quiet --target "$work/site" "$@"
}
if [ -n "$library" ]; then
  # From a copy of what the package is made of. DSVL_LIBRARY: the library is compiled once.
  mkdir -p "$work/source/examples" "$work/source/include/dsvl/base"
  cp -R "$source/examples/python" "$work/source/examples/"
  cp "$source/LICENSE" "$work/source/"
  cp "$source/include/dsvl/base/config.hpp" "$work/source/include/dsvl/base/"
  DSVL_LIBRARY=$library install "$work/source/examples/python"
  cmp "$library" "$work/site/dsvl/"*dsvl.so || { echo "FAILED: the wheel has another library" >&2; exit 1; }
else
  install "$source/examples/python"
  nm -D --defined-only "$work/site/dsvl/libdsvl.so" | grep -q ' T dsvl_session_ask@@' ||
    { echo "FAILED: the wheel has no library" >&2; exit 1; }
fi

cd "$source"
export PYTHONPATH="$work/site"
"$python" -W error "$here/python_binding.py" "$source" "$work"

model=examples/models/tiny-vl
said=$("$python" examples/python/ask.py $model $model/demo/000.png "Which bar is the tallest?")
[ "$said" = "The green bar." ] || { echo "FAILED: ask.py says $said" >&2; exit 1; }
printf 'picture,question\n%s,Which bar is the tallest?\nno/such.png,What?\n' $model/demo/000.png >"$work/questions.csv"
"$python" examples/python/table.py $model "$work/questions.csv" >"$work/answers.csv"
grep -q ',The green bar\.,eos,5,' "$work/answers.csv" && grep -q '^What?,no/such.png,,error,0,.*no/such.png' "$work/answers.csv" ||
  { cat "$work/answers.csv"; echo "FAILED: table.py" >&2; exit 1; }
echo "the wheel, its tests and both examples"
