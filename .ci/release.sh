#!/bin/sh
# Makes what a release consists of, from a commit and nothing else: no network, and equal commits give equal bytes.
#   .ci/release.sh OUTPUT [COMMIT]          COMMIT is HEAD unless it is named
#   .ci/release.sh --tag OUTPUT             also tags HEAD, signed where git has a key: vVERSION
# In OUTPUT are then
#   dsvl-VERSION.tar.gz           the sources
#   dsvl-VERSION-headers.tar.gz   what a build takes that uses dsvl: headers, build files, libdsvl; no model, no tests
#   dsvl-VERSION.spdx.json        what is in the sources and under which licence (SPDX 2.3)
#   SHA256SUMS                    of these three
set -eu

tag=
if [ "${1:-}" = --tag ]; then
  tag=yes
  shift
fi
[ $# -ge 1 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 2; }
mkdir -p "$1"
output=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
fail() { echo "release.sh: $*" >&2; exit 1; }

commit=$(git rev-parse --verify --quiet "${2:-HEAD}^{commit}") || fail "there is no commit ${2:-HEAD}"
show() { git show "$commit:$1"; }
version=$(show include/dsvl/base/config.hpp | sed -n 's/^#define DSVL_VERSION_STRING "\(.*\)"/\1/p')
[ -n "$version" ] || fail "base/config.hpp has no DSVL_VERSION_STRING"
numbers=$(show include/dsvl/base/config.hpp | sed -n 's/^#define DSVL_VERSION_M[A-Z]* \([0-9]*\)$/\1/p; s/^#define DSVL_VERSION_PATCH //p' |
  paste -s -d .)
[ "$numbers" = "$version" ] || fail "base/config.hpp says $version, and $numbers in numbers"
abi=$(echo "$version" | sed 's/^\([0-9]*\)\.\([0-9]*\)\..*/v\1_\2/')
show include/dsvl/base/config.hpp | grep -q "^#define DSVL_ABI $abi$" || fail "DSVL_ABI of version $version is $abi"
show meson.build | grep -q "^  version: '$version'" || fail "meson.build has another version than $version"
heading=$(show CHANGELOG.md | grep "^## $version") || fail "CHANGELOG.md has no section for $version"
if [ -n "$tag" ]; then
  [ "$commit" = "$(git rev-parse HEAD)" ] || fail "--tag is for HEAD"
  [ -z "$(git status --porcelain)" ] || fail "what is to be tagged is not committed"
  case $heading in *unreleased*) fail "CHANGELOG.md says that $version is unreleased: write its date" ;; esac
  ! git rev-parse --verify --quiet "refs/tags/v$version" >/dev/null || fail "there is a tag v$version already"
fi

# archive NAME [PATH...]: the times in it are the commit's, owners and modes are git's; gzip adds neither name nor time.
archive() {
  name=$1
  shift
  git -c tar.umask=0022 archive --format=tar --prefix="dsvl-$version/" "$commit" "$@" >"$output/$name.tar"
  gzip -9 -n -f "$output/$name.tar"
}
archive "dsvl-$version"
archive "dsvl-$version-headers" include CMakeLists.txt meson.build meson_options.txt LICENSE CHANGELOG.md \
  examples/c examples/single_header examples/debugger

# Each file with its checksum; all are under the project's licence.
git archive --format=tar "$commit" | python3 -c '
import hashlib, json, sys, tarfile
version, commit, created = sys.argv[1:]
files = []
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
    for entry in archive:
        if not entry.isfile():
            continue
        data = archive.extractfile(entry).read()
        files.append({
            "SPDXID": f"SPDXRef-File-{len(files)}", "fileName": "./" + entry.name,
            "checksums": [{"algorithm": name, "checksumValue": hashlib.new(name.lower(), data).hexdigest()}
                          for name in ("SHA1", "SHA256")],
            "licenseConcluded": "MIT", "licenseInfoInFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION"})
sums = sorted(file["checksums"][0]["checksumValue"] for file in files)
package = {
    "SPDXID": "SPDXRef-dsvl", "name": "dsvl", "versionInfo": version, "downloadLocation": "NOASSERTION",
    "licenseConcluded": "MIT", "licenseDeclared": "MIT", "licenseInfoFromFiles": ["NOASSERTION"],
    "copyrightText": "Copyright (c) 2026 The dsvl authors", "filesAnalyzed": True,
    "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest()}}
print(json.dumps({
    "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"dsvl-{version}",
    "documentNamespace": f"https://spdx.org/spdxdocs/dsvl-{version}-{commit}",
    "creationInfo": {"created": created, "creators": ["Tool: dsvl/.ci/release.sh"]},
    "packages": [package], "files": files,
    "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                       "relatedSpdxElement": "SPDXRef-dsvl"}]
    + [{"spdxElementId": "SPDXRef-dsvl", "relationshipType": "CONTAINS", "relatedSpdxElement": file["SPDXID"]}
       for file in files]}, indent=1, sort_keys=True))
' "$version" "$commit" "$(TZ=UTC0 git show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ "$commit")" \
  >"$output/dsvl-$version.spdx.json"

(cd "$output" && sha256sum "dsvl-$version.tar.gz" "dsvl-$version-headers.tar.gz" "dsvl-$version.spdx.json" >SHA256SUMS)
if [ -n "$tag" ]; then
  how=-a
  if git config user.signingkey >/dev/null; then how=-s; fi
  git tag "$how" -m "dsvl $version" "v$version"
fi
cat "$output/SHA256SUMS"
