#!/bin/sh
# Installs what dsvl is built with, as far as it is missing, from Debian's or Ubuntu's packages.
#   examples/install-dependencies.sh build         a compiler, CMake, Ninja and the libraries
#   examples/install-dependencies.sh build test    and what tests/run.sh uses
#   examples/install-dependencies.sh fuzz i686     what tests/run.sh --full uses besides: libFuzzer, 32 bits
#   examples/install-dependencies.sh validator     a second opinion about JSON schemas, which --full asks
#   examples/install-dependencies.sh robot         what videos and cameras of examples/robot are read with
#   examples/install-dependencies.sh bindings      what Node and C# need, whose bindings tests/run.sh tests where they are
#   examples/install-dependencies.sh server        what examples/server is built with, and tested with in a browser
#   examples/install-dependencies.sh game          what examples/game is built with, and played with in tests
#   examples/install-dependencies.sh desktop       what examples/desktop is built with, and tested with on a screen of its own
#   examples/install-dependencies.sh reference     what makes the API reference, which --full does as well
#   examples/install-dependencies.sh platforms more-platforms  compilers and emulators for tests/platforms/run.sh
#   examples/install-dependencies.sh batch         launchers that dsvl batch is tested with, there too
# With nothing missing it does nothing, and needs neither root nor network.
set -eu

# The package of 32-bit libraries by its version: the one without (g++-multilib) makes room for itself by removing cross
# compilers, or is removed for them.
major=$(g++ -dumpversion 2>/dev/null | cut -d. -f1)

# group, package, and what shows that it is there: a program, a header, or a compiler with a flag that it links with
packages="
build g++                g++
build cmake              cmake
build ninja-build        ninja
build libxsimd-dev       xsimd/xsimd.hpp
build nlohmann-json3-dev nlohmann/json.hpp
build libstb-dev         stb/stb_image.h
test  libeigen3-dev      eigen3/Eigen/Core
test  doctest-dev        doctest/doctest.h
test  clang              clang++
test  libc++-dev         c++/v1/vector
test  meson              meson
test  pkg-config         pkg-config
test  curl               curl
test  gdb                gdb
test  libwebp-dev        webp/decode.h
test  libheif-dev        libheif/heif.h
test  python3-numpy      python3:numpy
test  python3-pil        python3:PIL
test  python3-pip        python3:pip
robot libopencv-videoio-dev opencv4/opencv2/videoio.hpp
bindings nodejs          node
bindings npm             npm
bindings mono-mcs        mcs
bindings mono-runtime    mono
server libcpp-httplib-dev httplib.h
server pkg-config        pkg-config
server nodejs            node
server npm               npm
server chromium          chromium
game  libsdl2-dev        SDL2/SDL.h
game  xvfb               Xvfb
game  xdotool            xdotool
game  python3-pil        python3:PIL
desktop libsdl2-dev      SDL2/SDL.h
desktop libimgui-dev     imgui/imgui.h
desktop libpoppler-cpp-dev poppler/cpp/poppler-document.h
desktop pkg-config       pkg-config
desktop fonts-dejavu-core ../share/fonts/truetype/dejavu/DejaVuSans.ttf
desktop xvfb             Xvfb
desktop xdotool          xdotool
desktop python3-pil      python3:PIL
reference doxygen        doxygen
batch parallel           parallel
batch openmpi-bin        mpirun
platforms g++-aarch64-linux-gnu aarch64-linux-gnu-g++
platforms qemu-user      qemu-aarch64
platforms g++-mingw-w64-x86-64-posix x86_64-w64-mingw32-g++-posix
platforms wine           wine
more-platforms g++-arm-linux-gnueabihf arm-linux-gnueabihf-g++
more-platforms g++-riscv64-linux-gnu riscv64-linux-gnu-g++
more-platforms emscripten em++
more-platforms nodejs    node
validator python3-jsonschema python3 -m jsonschema
fuzz  clang              clang++
fuzz  libclang-rt-dev    clang++ -fsanitize=address
i686  g++-$major-multilib   g++ -m32
"

links() {
  program=$(mktemp)
  # shellcheck disable=SC2086  # a compiler and its flag
  echo '#include <vector>
    int main() { return std::vector<int>(1)[0]; }' | $1 -x c++ - -o "$program" 2>/dev/null && found=0 || found=1
  rm -f "$program"
  return "$found"
}

present() {
  case $1 in
    *\ -m\ *) $1 --version >/dev/null 2>&1 ;;
    *\ -*) links "$1" ;;
    python3:*) /usr/bin/python3 -c "import ${1#*:}" 2>/dev/null ;;
    */* | *.h) [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=$(echo "$packages" | while read -r group package probe; do
  case " $* " in *" ${group:-none} "*) present "$probe" || printf ' %s' "$package" ;; esac
done)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing here, by the names that Debian has for them:$missing" >&2
  echo "This system has no apt-get: please install them its own way, then run this again." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "Missing:$missing" >&2
    echo "Installing needs root, and sudo is not here. As root: apt-get update && apt-get install$missing" >&2
    exit 1
  }
  sudo=sudo
fi

echo "Installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@"; }
# Old lists may still do when the network is away, so only the installation decides.
apt update >"$log" 2>&1 || true
# shellcheck disable=SC2086  # a list of packages
if ! apt install -y --no-install-recommends $missing >>"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "apt-get could not install:$missing" >&2
  exit 1
fi
