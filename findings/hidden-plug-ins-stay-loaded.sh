#!/usr/bin/env bash
# A C++ plug-in that hides everything but its entry stays in a C program after dlclose(), and its next version is not loaded.
#
# Expected: what is said everywhere to make a plug-in unloadable does it: -fvisibility=hidden, -fvisibility-inlines-hidden
#           and -fno-gnu-unique (the "unique" symbols of GCC pin a library), and no thread or destructor is left.
# Seen:     a std::vector of std::string is enough to keep it. Namespace std has default visibility, so the plug-in
#           exports what it instantiates; libstdc++, which comes with it into a program that has none, binds to those
#           copies, and never goes away itself. At -O2 all may be inlined, and the same source is unloaded: what reloads
#           in a release build does not in a debug build. A linker's list of exports is what helps.
# Versions: g++ 12.2.0, libstdc++ 6.0.30, glibc 2.36 (Debian 12); nothing is installed, g++ has to be there.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat >plugin.cpp <<'END'
#include <string>
#include <vector>
extern "C" __attribute__((visibility("default"))) int plugin_answer() {
  std::vector<std::string> words;
  words.emplace_back("forty");
  words.push_back(std::to_string(2));
  return static_cast<int>(words.size()) + 40;
}
END
cat >host.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char** names) {
  void* plugin = dlopen(names[1], RTLD_NOW | RTLD_LOCAL);
  int (*answer)(void) = plugin ? (int (*)(void))dlsym(plugin, "plugin_answer") : 0;
  if (count != 2 || !answer || answer() != 42 || dlclose(plugin) != 0) return 2;
  puts(dlopen(names[1], RTLD_NOLOAD | RTLD_NOW) ? "stays" : "goes");
  return 0;
}
END
echo '{ global: plugin_*; local: *; };' >exports.map
gcc host.c -o host -ldl
build() { g++ -std=c++17 -fPIC -shared -fvisibility=hidden -fvisibility-inlines-hidden -fno-gnu-unique plugin.cpp "$@"; }
build -O0 -o debug.so
build -O2 -o release.so
build -O0 -Wl,--version-script,exports.map -o listed.so
g++ --version | sed -n 1p
ldd --version | sed -n 1p
seen=
for plugin in debug release listed; do
  seen+="$plugin $(./host ./$plugin.so), "
done
echo "$seen"
LD_DEBUG=bindings ./host ./debug.so 2>&1 | sed -n 's/.*\(libstdc++[^ ]*\) \[0\] to \(.*debug.so\) .*symbol `\([^'"'"']*\)'"'"'.*/\1 uses \3 of \2/p' | sort -u | sed -n 1,3p
[ "$seen" = "debug stays, release goes, listed goes, " ] && echo "as described" || { echo CHANGED; exit 1; }
