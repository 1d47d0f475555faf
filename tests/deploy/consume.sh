#!/bin/sh
# Uses dsvl from a project of somebody else's: builds a program there (examples/01_hello.cpp) and runs it.
#   consume.sh ROUTE WORK_DIR
# ROUTE  plain (program and compile line of README.md), cmake_subdirectory, cmake_fetch, meson_subproject, meson_dispatch
#        (that with kernels to choose from), meson_shared, cmake_package, pkg_config and meson_pkgconfig (from the copy
#        that `consume.sh install` makes), plugin, two_versions, older_libraries (which are refused), release
#        (.ci/release.sh), vcpkg and debian (examples/packaging)
# Environment: CXX, CMAKE, GENERATOR, BUILD, dsvl's own build directory, and COMPILED, libraries with dsvl compiled once:
# where something else is tested than how dsvl is compiled, programs are linked with these, which takes seconds.
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
model=$source/examples/models/tiny-vl
answer="There are 4 bars."
finish() {
  cd "$source"
  "$@" >"$work/output.txt" || { cat "$work/output.txt"; fail "$1"; }
  cat "$work/output.txt"
  grep -q "$answer" "$work/output.txt" || fail "$1 said something else"
}
# The working tree as a commit, with its files in a folder of ours: what a release is made of. Sets commit.
commit_tree() {
  (cd "$source" && git rev-parse --is-inside-work-tree && command -v python3) >/dev/null 2>&1 ||
    { echo "SKIPPED: $route, which wants git, a clone, and python3"; exit 77; }
  objects=$(cd "$source" && git rev-parse --path-format=absolute --git-path objects)
  mkdir -p "$work/objects"
  export GIT_INDEX_FILE="$work/index" GIT_OBJECT_DIRECTORY="$work/objects" GIT_ALTERNATE_OBJECT_DIRECTORIES="$objects"
  export GIT_AUTHOR_NAME=dsvl GIT_AUTHOR_EMAIL=dsvl@localhost GIT_COMMITTER_NAME=dsvl GIT_COMMITTER_EMAIL=dsvl@localhost
  export GIT_AUTHOR_DATE="2026-01-02T03:04:05Z" GIT_COMMITTER_DATE="2026-01-02T03:04:05Z"
  # (Of what is not tracked only what lies in folders that are: a build beside them is none of it.)
  commit=$(cd "$source" && git read-tree HEAD && git ls-tree -z --name-only HEAD | xargs -0 git add -A -- &&
    git commit-tree -m "The working tree" "$(git write-tree)")
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
      -DDSVL_SOURCE="$source" -DHELLO="$hello" -DCMAKE_PREFIX_PATH="$prefix" -DCOMPILED="$(echo $COMPILED | tr ' ' ';')"
    run "$CMAKE" --build "$work/build"
    finish "$work/build/hello"
    ;;

  cmake_fetch)
    commit_tree
    mkdir "$work/release" "$work/tree"
    quietly sh "$source/.ci/release.sh" "$work/release" "$commit"
    archive=$(echo "$work/release/"*-headers.tar.gz)
    # A repository of what the archive has.
    unset GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
    tar -xzf "$archive" -C "$work/tree" --strip-components=1
    (cd "$work/tree" && git init -q . && git add -A && git commit -q -m "dsvl" && git tag v0) || fail "git"
    quietly "$CMAKE" -S "$here/$route" -B "$work/git" -G "$GENERATOR" -DCMAKE_CXX_FLAGS=-O1 -DHELLO="$hello" \
      -DCOMPILED="$(echo $COMPILED | tr ' ' ';')" -DDSVL_REPOSITORY="file://$work/tree" -DDSVL_TAG=v0
    run "$CMAKE" --build "$work/git"
    finish "$work/git/hello"
    quietly "$CMAKE" -S "$here/$route" -B "$work/archive" -G "$GENERATOR" -DCMAKE_CXX_FLAGS=-O1 -DHELLO="$hello" \
      -DCOMPILED="$(echo $COMPILED | tr ' ' ';')" -DDSVL_ARCHIVE="$archive" \
      -DDSVL_SHA256="$(sha256sum "$archive" | cut -d ' ' -f 1)"
    # Both are configured alike, so the second need not be built.
    [ -f "$work/archive/_deps/dsvl-src/include/dsvl/dsvl.hpp" ] || fail "the archive was not unpacked"
    # As a project of its own it has nothing to build but what it installs.
    quietly "$CMAKE" -S "$work/tree" -B "$work/alone" -G "$GENERATOR"
    if command -v meson >/dev/null 2>&1; then quietly meson setup -Dshared=true "$work/alone_meson" "$work/tree"; fi
    ;;

  release)
    commit_tree
    # Elsewhere, later, with other settings: the same bytes.
    quietly sh "$source/.ci/release.sh" "$work/first" "$commit"
    (cd / && umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 sh "$source/.ci/release.sh" "$work/second" "$commit") >/dev/null
    diff -r "$work/first" "$work/second" || fail "two releases of one commit differ"
    (cd "$work/first" && sha256sum --check --quiet SHA256SUMS) || fail "the checksums are wrong"
    for archive in "$work/first/"*.tar.gz; do tar -tzf "$archive" >"$archive.list"; done
    [ "$(wc -c <"$(echo "$work/first/"*-headers.tar.gz)")" -lt 1000000 ] || fail "the archive of the headers is large"
    ! grep -e '\.safetensors$' -e /tests/ "$work/first/"*-headers.tar.gz.list || fail "the archive of the headers has these"
    (cd "$source" && git ls-tree -r --name-only "$commit") | sort >"$work/tracked"
    cut -d / -f 2- "$work/first/"dsvl-?.?.?.tar.gz.list | grep -v -e '/$' -e '^$' | sort | diff "$work/tracked" - ||
      fail "the archive of the sources lacks (<) or has (>) these"
    python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["files"]), "files in the SPDX document")' \
      "$work/first/"*.spdx.json
    # Versions that disagree are refused.
    wrong=$(cd "$source" && git cat-file blob "$commit:meson.build" | sed "s/^  version: '/&9/" | git hash-object -w --stdin)
    wrong=$(cd "$source" && git update-index --cacheinfo "100644,$wrong,meson.build" &&
      git commit-tree -m "Another version" "$(git write-tree)")
    ! sh "$source/.ci/release.sh" "$work/wrong" "$wrong" >"$work/log.txt" 2>&1 || fail "meson.build may say another version"
    grep -q 'meson.build has another version' "$work/log.txt" || { cat "$work/log.txt"; fail "another error"; }
    ! sh "$source/.ci/release.sh" --tag "$work/wrong" "$commit" >"$work/log.txt" 2>&1 || fail "it tags what is not HEAD"
    cat "$work/first/SHA256SUMS"
    ;;

  meson_subproject | meson_dispatch | meson_pkgconfig | meson_shared)
    # Meson wants everything below its own folder: the project is put together here.
    folder=$route
    if [ "$route" = meson_dispatch ]; then folder=meson_subproject; fi
    cp "$here/$folder/meson"* "$work/"
    cp "$hello" "$work/hello.cpp"
    cp "$source/examples/c/hello.c" "$work/"
    if [ "$route" != meson_pkgconfig ]; then
      mkdir "$work/subprojects"
      ln -s "$source" "$work/subprojects/dsvl"
    fi
    compiled=
    case $route in meson_subproject | meson_pkgconfig) compiled="-Dcompiled=$(echo $COMPILED | tr ' ' ',')" ;; esac
    export PKG_CONFIG_PATH="$prefix/share/pkgconfig"
    quietly meson setup --optimization=1 $compiled "$work/build" "$work"
    run meson compile -C "$work/build"
    if [ "$route" = meson_shared ]; then answer="The green bar."; fi
    finish "$work/build/hello"
    ;;

  pkg_config)
    export PKG_CONFIG_PATH="$prefix/share/pkgconfig"
    # shellcheck disable=SC2046,SC2086  # lists of flags
    run "$CXX" -std=c++20 -O1 -DDSVL_HEADER_ONLY=0 $(pkg-config --cflags 'dsvl >= 0.1') "$hello" $COMPILED \
      $(pkg-config --libs dsvl) -pthread -o "$work/hello"
    finish "$work/hello"
    # Under /usr the compiler's own folder is left out, and an absolute folder stays as it is, as Nix and Guix have it.
    bare="-G $GENERATOR -DDSVL_TESTS=OFF -DDSVL_EXAMPLES=OFF -DDSVL_BENCHMARKS=OFF"
    # shellcheck disable=SC2086
    quietly "$CMAKE" -S "$source" -B "$work/usr" $bare -DCMAKE_INSTALL_PREFIX=/usr
    DESTDIR=$work/root quietly "$CMAKE" --install "$work/usr"
    flags=$(PKG_CONFIG_PATH=$work/root/usr/share/pkgconfig pkg-config --cflags dsvl)
    case $flags in *share/pkgconfig* | *-I/usr/include*) fail "dsvl.pc of /usr gives $flags" ;; esac
    # CMake allows no such folder below the sources, where $work may be.
    apart=$(mktemp -d)
    trap 'rm -rf "$apart"' EXIT
    # shellcheck disable=SC2086
    quietly "$CMAKE" -S "$source" -B "$work/apart" $bare -DCMAKE_INSTALL_INCLUDEDIR="$apart/headers"
    quietly "$CMAKE" --install "$work/apart" --prefix "$work/store"
    flags=$(PKG_CONFIG_PATH=$work/store/share/pkgconfig pkg-config --cflags dsvl)
    case "$flags " in "-I$apart/headers "*) ;; *) fail "dsvl.pc with an absolute folder gives $flags" ;; esac
    [ -f "$apart/headers/dsvl/dsvl.hpp" ] || fail "the headers are not where dsvl.pc says"
    ;;

  vcpkg)
    port=$source/examples/packaging/vcpkg/ports/dsvl
    python3 -c 'import json, sys; print("port of", json.load(open(sys.argv[1]))["version"])' "$port/vcpkg.json" >"$work/version"
    grep -q "port of $(sed -n 's/^#define DSVL_VERSION_STRING "\(.*\)"/\1/p' "$source/include/dsvl/base/config.hpp")$" \
      "$work/version" || fail "vcpkg.json has another version"
    if command -v vcpkg >/dev/null 2>&1; then
      quietly vcpkg install dsvl --classic --overlay-ports="${port%/*}" --x-install-root="$work/installed"
      found=$(echo "$work/installed"/*-*)
    else
      echo "SKIPPED: vcpkg is not here: its port was run with stand-ins for vcpkg's functions"
      quietly "$CMAKE" -DPORT=dsvl -DPORTFILE="$port/portfile.cmake" -DWORK="$work" -DGENERATOR="$GENERATOR" -P "$here/vcpkg.cmake"
      found=$work/package
    fi
    [ -f "$found/share/dsvl/copyright" ] && [ -f "$found/share/dsvl/usage" ] || fail "the package lacks its copyright or usage"
    quietly "$CMAKE" -S "$here/cmake_package" -B "$work/consumer" -G "$GENERATOR" -DHELLO="$hello" -DCMAKE_PREFIX_PATH="$found"
    cat "$work/version"
    ;;

  debian)
    command -v dh >/dev/null 2>&1 && command -v dpkg-buildpackage >/dev/null 2>&1 ||
      { echo "SKIPPED: the Debian packages, which want dpkg-dev and debhelper"; exit 77; }
    commit_tree
    # The package is built from files, not from git.
    mkdir "$work/output"
    run sh "$source/examples/packaging/deb.sh" "$work/output" "$commit" >"$work/log.txt" 2>&1 ||
      { tail -n 40 "$work/log.txt"; fail "dpkg-buildpackage"; }
    for package in "$work/output/"*.deb; do dpkg-deb -x "$package" "$work/root"; done
    for file in bin/dsvl include/dsvl/dsvl.hpp share/pkgconfig/dsvl.pc share/dsvl/tiny-vl/config.json share/man/man1/dsvl.1.gz; do
      [ -f "$work/root/usr/$file" ] || fail "no package has $file"
    done
    ! dpkg-deb -c "$work/output/"libdsvl-dev_*.deb | grep -e /bin/ -e single || fail "libdsvl-dev has these"
    # autopkgtest's tests, on what was unpacked.
    cd "$work/output/"dsvl-*/
    PATH=$work/root/usr/bin:$PATH run sh debian/tests/program
    PKG_CONFIG_SYSROOT_DIR=$work/root PKG_CONFIG_PATH=$work/root/usr/share/pkgconfig:/usr/share/pkgconfig run sh debian/tests/headers
    if command -v lintian >/dev/null 2>&1; then
      run lintian --fail-on error "$work/output/"*.changes || fail "lintian"
    else
      echo "SKIPPED: lintian is not here, so it did not judge the Debian packages"
    fi
    (cd "$work/output" && ls -- *.deb *.dsc)
    ;;

  older_libraries)
    mkdir -p "$work/old/xsimd/config" "$work/old/nlohmann"
    printf '#define XSIMD_VERSION_%s\n' 'MAJOR 8' 'MINOR 0' 'PATCH 9' >"$work/old/xsimd/config/xsimd_config.hpp"
    printf '#define NLOHMANN_JSON_VERSION_%s\n' 'MAJOR 3' 'MINOR 8' 'PATCH 12' >"$work/old/nlohmann/json.hpp"
    : >"$work/old/xsimd/xsimd.hpp"
    ! "$CMAKE" -S "$source" -B "$work/build" -DDSVL_TESTS=OFF -DDSVL_XSIMD_INCLUDE_DIR="$work/old" \
      -DDSVL_JSON_INCLUDE_DIR="$work/old" >"$work/log.txt" 2>&1 || fail "older libraries are taken"
    for text in 'xsimd 8\.1 or later .*, not 8\.0\.9 as in' 'nlohmann/json 3\.9 or later .*, not 3\.8\.12 as in'; do
      grep -q "$text" "$work/log.txt" || { cat "$work/log.txt"; fail "the error does not say: $text"; }
    done
    echo "older libraries are refused by name"
    ;;

  plugin)
    run "$CXX" -std=c++20 -O1 -DDSVL_FORMATS=bf16 -fno-exceptions -fno-rtti -fvisibility=hidden -fPIC -shared \
      -I"$source/include" "$here/plugin/plugin.cpp" -Wl,--version-script,"$here/plugin/plugin.map" -pthread -o "$work/plugin.so"
    nm -D --defined-only "$work/plugin.so" >"$work/exported"
    [ "$(sed 's/.* //' "$work/exported")" = plugin_ask ] || { cat "$work/exported"; fail "the plug-in exports these"; }
    run "${CC:-cc}" -std=c99 -Wall -Werror "$here/plugin/host.c" -o "$work/host" -ldl
    finish "$work/host" "$work/plugin.so" "$model" "$model/demo/000.png"
    ;;

  two_versions)
    mkdir "$work/older"
    cp -R "$source/include" "$work/older/"
    sed -i -e 's/^\(#define DSVL_VERSION_MINOR\) .*/\1 0/' -e 's/^\(#define DSVL_VERSION_STRING\) .*/\1 "0.0.9"/' \
      -e 's/^\(#define DSVL_ABI\) .*/\1 v0_0/' "$work/older/include/dsvl/base/config.hpp"
    run "$CXX" -std=c++20 -O1 -DDSVL_FORMATS=bf16 -I"$work/older/include" -c "$here/two_versions/older.cpp" -o "$work/older.o"
    run "$CXX" -std=c++20 -O1 -DDSVL_HEADER_ONLY=0 -I"$source/include" -c "$here/two_versions/newer.cpp" -o "$work/newer.o"
    # What both define must not be dsvl's: the linker would keep one of them.
    nm -C --defined-only "$work/older.o" | grep -i ' [tvwbdru] dsvl::' | grep -v ' dsvl::v0_0::' >"$work/shared" || true
    [ ! -s "$work/shared" ] || { head "$work/shared"; fail "symbols do not stand in the namespace of their version"; }
    # shellcheck disable=SC2086
    run "$CXX" "$work/newer.o" "$work/older.o" $COMPILED -pthread -o "$work/both"
    finish "$work/both" "$model" "$model/demo/000.png"
    ;;

  *)
    echo "unknown route: $route" >&2
    exit 2
    ;;
esac
