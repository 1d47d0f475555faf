#!/bin/sh
# Uses dsvl from a project of somebody else's: builds a program there (examples/01_hello.cpp) and runs it.
#   consume.sh ROUTE WORK_DIR
# ROUTE  plain (program and compile line of README.md), cmake_subdirectory (what FetchContent does, too),
#        cmake_package and meson_pkgconfig (from the copy that `consume.sh install` makes), meson_subproject
# Environment: CXX, CMAKE, GENERATOR, and BUILD, dsvl's own build directory.
set -eu

route=$1 work=$2/consume_$1 prefix=$2/prefix
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
hello=$source/examples/01_hello.cpp
export CXX

run() {
  echo "+ $*"
  "$@"
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# What configuring said matters only when it went wrong.
quietly() {
  run "$@" >"$work/log.txt" 2>&1 || { cat "$work/log.txt"; fail "$1"; }
}

# Every route ends here: the program answers from the model that ships with dsvl, which it looks for from the
# top of the repository.
finish() {
  cd "$source"
  "$1" >"$work/output.txt" || { cat "$work/output.txt"; fail "$1"; }
  cat "$work/output.txt"
  [ -s "$work/output.txt" ] || fail "$1 printed nothing"
}

# -O1 is what builds soonest and still answers at once.
rm -rf "$work"
mkdir -p "$work"

case $route in
  install)
    rm -rf "$prefix"
    quietly "$CMAKE" --install "$BUILD" --prefix "$prefix"
    for file in include/dsvl/dsvl.hpp include/dsvl/single/dsvl.hpp include/dsvl/single/dsvl_all.hpp \
      include/dsvl/single/dsvl_unit.hpp share/cmake/dsvl/dsvl-config.cmake share/pkgconfig/dsvl.pc \
      share/doc/dsvl/LICENSE share/dsvl/dsvl_gdb.py share/dsvl/dsvl.natvis share/man/man1/dsvl.1 \
      share/dsvl/tiny-vl/config.json; do
      [ -f "$prefix/$file" ] || fail "$file was not installed"
    done
    if [ -x "$prefix/bin/dsvl" ]; then # it finds the model that was installed with it
      said=$(cd "$work" && "$prefix/bin/dsvl" ask -q -i "$source/examples/models/tiny-vl/demo/000.png" "Which bar is the tallest?")
      [ "$said" = "The green bar." ] || fail "the installed program says $said"
    fi
    installed=$(cd "$prefix/include" && find . -type f ! -path './dsvl/single/*' | sort)
    in_source=$(cd "$source/include" && find . -type f -name '*.h*' | sort)  # the tour stays with the source
    [ "$installed" = "$in_source" ] || fail "not the same headers installed as in the source"
    ! grep -r "$source" "$prefix/share" || fail "the installed files name the source folder"
    echo "$(echo "$installed" | wc -l) headers installed"
    ;;

  plain)
    # What README.md shows first, as a reader copies it: its first program, its first compile line, and its output.
    ln -s "$source/include" "$source/examples" "$work/"
    awk '/^```cpp$/ { inside = 1; next } /^```$/ && inside { exit } inside' "$source/README.md" >"$work/hello.cpp"
    awk '/^\$ g\+\+ / { sub(/^\$ /, ""); print; exit }' "$source/README.md" >"$work/line.sh"
    awk '/^\$ g\+\+ / { inside = 1; next } /^```$/ && inside { exit } inside' "$source/README.md" >"$work/expected.txt"
    [ -s "$work/hello.cpp" ] || fail "README.md has no program"
    [ -s "$work/line.sh" ] || fail "README.md has no line that starts with \$ g++"
    cat "$work/line.sh"
    (cd "$work" && sh ./line.sh >output.txt && echo >>output.txt) # the last line may lack its end
    diff --ignore-blank-lines "$work/expected.txt" "$work/output.txt" || fail "README.md shows another output"
    ;;

  cmake_subdirectory | cmake_package)
    quietly "$CMAKE" -S "$here/$route" -B "$work/build" -G "$GENERATOR" -DCMAKE_CXX_FLAGS=-O1 \
      -DDSVL_SOURCE="$source" -DHELLO="$hello" -DCMAKE_PREFIX_PATH="$prefix"
    run "$CMAKE" --build "$work/build"
    finish "$work/build/hello"
    ;;

  meson_subproject | meson_pkgconfig)
    # Meson wants everything below its own folder: the project is put together here.
    cp "$here/$route/meson.build" "$work/"
    cp "$hello" "$work/hello.cpp"
    if [ "$route" = meson_subproject ]; then
      mkdir "$work/subprojects"
      ln -s "$source" "$work/subprojects/dsvl"
    fi
    export PKG_CONFIG_PATH="$prefix/share/pkgconfig"
    quietly meson setup --optimization=1 "$work/build" "$work"
    run meson compile -C "$work/build"
    finish "$work/build/hello"
    ;;

  *)
    echo "unknown route: $route" >&2
    exit 2
    ;;
esac
