#!/bin/sh
# Compiles the C++ that the documents show, for its syntax only: every block of a Markdown file that begins with ```cpp.
#   snippets.sh ROOT WORK_DIR COMPILER [FLAG...]           every .md below ROOT
#   snippets.sh --run ROOT WORK_DIR COMPILER [FLAG...]     also runs those that say what they print
#   snippets.sh --self-test WORK_DIR COMPILER [FLAG...]    whether faults in documents are found
# A block with a main() is a program and must compile as it stands. Any other is a fragment: it becomes the body of a
# function, behind its own #include lines and tests/deploy/snippets.hpp, which declares what such fragments talk about.
# A block that cannot compile is marked by a line of its own before it, which readers do not see:
#   <!-- not compiled: REASON -->
# A block that --run runs, at ROOT, has a line before it for each line that it prints:
#   <!-- prints: TEXT -->
# Errors name the document and its line.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

# snippets_of DOCUMENT NAME WORK: writes a WORK/program-LINE.cpp for each program, WORK/fragments.cpp with all fragments,
# WORK/running.cc with those that are run, what they print to WORK/expected, and how many blocks there are to WORK/count;
# prints what is left out.
snippets_of() {
  awk -v name="$2" -v work="$3" '
    function finish(    file) {
      if (reason != "") { print "left out: " name ":" first ", " reason; return }
      if (prints != "") {
        run_heads = run_heads includes
        runs = runs (program ? sprintf("namespace run_%d {\n", first) : sprintf("void run_%d() {\n", first))
        runs = runs sprintf("#line %d \"%s\"\n%s}\n", first, name, body)
        calls = calls sprintf("  run_%d%s();\n", first, program ? "::main" : "")
        printf "%s", prints > (work "/expected")
      }
      if (program) {
        file = work "/program-" first ".cpp"
        printf "#line %d \"%s\"\n%s", first, name, whole > file
        close(file)
      } else {
        heads = heads includes
        fragments = fragments sprintf("void fragment_%d() {\n#line %d \"%s\"\n%s}\n", first, first, name, body)
      }
      ++count
    }
    /^ *```cpp *$/ && !inside { inside = 1; first = NR + 1; body = includes = whole = ""; program = 0; next }
    /^ *```/ && inside { finish(); inside = 0; reason = prints = ""; next }
    inside {
      whole = whole $0 "\n"
      if (/^ *#include/) { includes = includes $0 "\n"; body = body "\n" } else body = body $0 "\n"
      if (/ main\(/) program = 1
      next
    }
    /^<!-- not compiled: .* -->$/ { reason = substr($0, 6, length($0) - 9); next }
    /^<!-- prints: .* -->$/ { prints = prints substr($0, 14, length($0) - 17) "\n"; next }
    /./ { if (reason != "" || prints != "") { print name ":" NR ": a mark without a block of ```cpp behind it" > "/dev/stderr"; bad = 1 } }
    END {
      if (inside) { print name ": a block has no end" > "/dev/stderr"; bad = 1 }
      if (fragments != "")
        printf "#include \"snippets.hpp\"\n%s%s", heads, fragments > (work "/fragments.cpp")
      if (runs != "")
        printf "%s#include \"snippets.hpp\"\n#include \"snippets_run.hpp\"\n%sint main() {\n%s}\n",
               run_heads, runs, calls > (work "/running.cc")
      print count + 0 > (work "/count")
      exit bad
    }' "$1"
}

# check ROOT WORK COMPILER [FLAG...]
check() {
  root=$1 work=$2 compiler=$3
  shift 3
  rm -rf "$work"
  failed=0 total=0
  for document in $(cd "$root" && find . -name '*.md' ! -path './build*' ! -path './.git/*' | sed 's|^\./||' | sort); do
    folder=$work/$(echo "$document" | tr '/.' '__')
    mkdir -p "$folder"
    snippets_of "$root/$document" "$document" "$folder" || failed=1
    total=$((total + $(cat "$folder/count")))
    for unit in "$folder"/*.cpp; do
      [ -e "$unit" ] || continue
      "$compiler" -std=c++20 -fsyntax-only -DDSVL_HEADER_ONLY=0 -I"$here" "$@" -Wall -Wextra -Wpedantic -Wno-unused \
        -Werror "$unit" || failed=1
    done
  done
  echo "$total blocks of C++ in the documents below $(basename "$root")"
  [ "$total" -gt 0 ] || failed=1
  return $failed
}

# run ROOT WORK COMPILER [FLAG...]: what check() left of the documents that have something to run.
run() {
  root=$(cd "$1" && pwd) work=$(cd "$2" && pwd) compiler=$3
  shift 3
  failed=0 total=0
  for unit in "$work"/*/running.cc; do
    [ -e "$unit" ] || continue
    folder=$(dirname "$unit") total=$((total + 1))
    "$compiler" -std=c++20 -O1 -I"$here" "$@" -x c++ "$unit" -o "$folder/running" -pthread &&
      (cd "$root" && "$folder/running") >"$folder/printed" &&
      diff -u "$folder/expected" "$folder/printed" >&2 || failed=1
  done
  echo "$total documents with blocks that ran"
  [ "$total" -gt 0 ] || failed=1
  return $failed
}

if [ "$1" = --self-test ]; then
  work=$2 compiler=$3
  shift 3
  # verdict EXPECTED WHAT: the document on standard input passes (0) or fails (1).
  verdict() {
    rm -rf "$work/documents"
    mkdir -p "$work/documents"
    cat >"$work/documents/page.md"
    if check "$work/documents" "$work/out" "$compiler" "$@" >"$work/said" 2>&1; then found=0; else found=1; fi
    [ "$found" = "$expected" ] || { cat "$work/said" >&2; echo "FAILED: $what" >&2; exit 1; }
  }
  expected=0 what="a fragment that compiles"
  printf 'Text.\n```cpp\n#include <map>\nstd::map<int, int> m;\nshow("x");\n```\n' | verdict "$@"
  expected=1 what="a fragment that does not compile"
  printf '```cpp\nshow(nothing);\n```\n' | verdict "$@"
  expected=0 what="a program"
  printf '```cpp\n#include <dsvl/dsvl.hpp>\nint main() { return dsvl::Status().ok() ? 0 : 1; }\n```\n' | verdict "$@"
  expected=1 what="a program that does not compile"
  printf '```cpp\nint main() { return dsvl::Status().ok() ? 0 : 1; }\n```\n' | verdict "$@"
  expected=0 what="a block that is marked"
  printf '```cpp\nint x = 1;\n```\n<!-- not compiled: an outline -->\n```cpp\n…\n```\n' | verdict "$@"
  expected=1 what="a mark without a block"
  printf '<!-- not compiled: an outline -->\nText.\n```cpp\nint x = 1;\n```\n' | verdict "$@"
  expected=1 what="no block at all"
  printf 'Text.\n' | verdict "$@"
  echo "7 documents judged rightly"
elif [ "$1" = --run ]; then
  shift
  check "$@"
  run "$@"
else
  check "$@"
fi
