#!/usr/bin/env bash
# A processor as transformers 5 saves it does not load in transformers.js, which is of the same house.
#
# Expected: a folder whose processor_config.json has the object image_processor (all that save_pretrained() of
#           transformers 5 writes about pictures) gives the same image processor in JavaScript.
# Seen:     transformers.js asks for preprocessor_config.json and for nothing else, and throws. The same object as a file
#           of that name loads. Whoever saves a model with transformers 5 has to write that file by hand for the browser.
# Versions: @huggingface/transformers 4.3.2 (npm).
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund @huggingface/transformers@4.3.2

mkdir nested separate
picture='{"image_processor_type": "CLIPImageProcessor", "do_resize": true, "size": {"height": 32, "width": 32},
 "do_center_crop": false, "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true,
 "image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.5, 0.5], "resample": 3}'
for folder in nested separate; do echo '{"model_type": "clip"}' >$folder/config.json; done
echo "{\"image_processor\": $picture, \"processor_class\": \"CLIPProcessor\"}" >nested/processor_config.json
echo "$picture" >separate/preprocessor_config.json

cat >load.mjs <<'END'
import { AutoImageProcessor, env } from "@huggingface/transformers";
env.allowRemoteModels = false;
env.localModelPath = "./";
const seen = [];
for (const folder of ["separate", "nested"]) {
  try {
    const processor = await AutoImageProcessor.from_pretrained(folder);
    seen.push(`${folder}: mean ${processor.image_mean}`);
  } catch (error) {
    seen.push(`${folder}: ${error.message.includes("preprocessor_config.json") ? "wants preprocessor_config.json" : error.message}`);
  }
}
console.log(`@huggingface/transformers ${env.version}\n${seen.join("\n")}`);
const good = seen[0] === "separate: mean 0.1,0.2,0.3" && seen[1] === "nested: wants preprocessor_config.json";
console.log(good ? "as described" : "CHANGED");
process.exit(good ? 0 : 1);
END
node load.mjs
