#!/usr/bin/env bash
# A picture that was optimised without loss is no longer transparent when Pillow reads it.
#
# Expected: zopflipng changes how a PNG is stored, never what it shows: black on transparent white stays that, in RGBA.
# Seen:     two colors fit one bit of gray, and the transparent one becomes a tRNS chunk with the gray level 1. Pillow
#           makes 0 and 255 of the bits first and then looks for the level 1: nothing is transparent. Processors that lay
#           pictures upon a color (as those of several models do, with convert("RGBA") and alpha_composite) show such line
#           art on white, not on theirs. pngjs compares levels as they are stored, as the specification says.
# Versions: Pillow 9.4.0 and zopfli 1.0.3 (Debian 12), pngjs 7.0.0 (npm).
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund pngjs@7.0.0
# Both packages and all that they need, beside the system's.
mkdir -p debs/partial
apt-get -qq -y -o Dir::State::status=/dev/null -o Dir::Cache::archives="$place/debs" -o Debug::NoLocking=1 \
  --no-install-recommends --download-only install python3-pil zopfli >/dev/null 2>&1
(cd debs && rm -f libc6_*.deb && ls python3-pil_9.4.0*.deb zopfli_1.0.3*.deb)
for package in debs/*.deb; do dpkg-deb --extract "$package" root; done
inside() {
  LD_LIBRARY_PATH=$(dirname root/usr/lib/*/libjpeg.so.62) PYTHONHOME=$PWD/root/usr \
    PYTHONPATH=$PWD/root/usr/lib/python3/dist-packages "$@"
}

cat >draw.py <<'END'
from PIL import Image, ImageDraw
picture = Image.new("RGBA", (64, 32), (255, 255, 255, 0))
ImageDraw.Draw(picture).rectangle([8, 8, 40, 24], fill=(0, 0, 0, 255))
picture.save("before.png")
END
cat >look.py <<'END'
import sys
from PIL import Image
picture = Image.open(sys.argv[1]).convert("RGBA")
print("Pillow:", sum(pixel[3] == 0 for pixel in picture.getdata()), "transparent pixels")
END
cat >look.js <<'END'
const { data } = require("pngjs").PNG.sync.read(require("fs").readFileSync(process.argv[2]));
console.log("pngjs: ", data.filter((value, i) => i % 4 === 3 && value === 0).length, "transparent pixels");
END
inside root/usr/bin/python3.11 draw.py
inside root/usr/bin/zopflipng -y before.png after.png >/dev/null
for name in before after; do
  echo "$name.png, bits of depth and color type:$(od -An -tu1 -j24 -N2 $name.png)"
  { inside root/usr/bin/python3.11 look.py $name.png; node look.js $name.png; } | tee $name.txt
done
[ "$(grep -c ' 1487 transparent' before.txt)" = 2 ] && grep -q 'pngjs:  1487 ' after.txt && grep -q 'Pillow: 0 ' after.txt ||
  { echo "the behaviour has changed" && exit 1; }
echo "as described: after optimising nothing is transparent for Pillow"
