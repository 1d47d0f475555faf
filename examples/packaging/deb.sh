#!/bin/sh
# Builds the Debian packages from a copy of the sources: deb.sh OUTPUT [COMMIT]. Needs dpkg-dev and debhelper, and what
# debian/control has under Build-Depends. OUTPUT then has the source package, libdsvl-dev and dsvl.
set -eu

[ $# -ge 1 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 2; }
mkdir -p "$1"
output=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
sh "$root/.ci/release.sh" "$output" "${2:-HEAD}" >/dev/null
archive=$(echo "$output"/dsvl-*[0-9].tar.gz)
version=${archive##*/dsvl-}
version=${version%.tar.gz}
mv "$archive" "$output/dsvl_$version.orig.tar.gz"
rm "$output/SHA256SUMS" "$output"/*-headers.tar.gz "$output"/*.spdx.json
rm -rf "$output/dsvl-$version"
tar -xzf "$output/dsvl_$version.orig.tar.gz" -C "$output"
cd "$output/dsvl-$version"
cp -R examples/packaging/debian .
case $(dpkg-parsechangelog --show-field Version) in "$version"-*) ;; *)
  echo "deb.sh: debian/changelog is not about $version" >&2
  exit 1 ;;
esac
# What the system has installed by other ways than packages counts as well: whether it suffices shows in the build.
dpkg-buildpackage --no-sign --no-check-builddeps
