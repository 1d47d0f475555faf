#!/usr/bin/env bash
# An added token that is one accented letter comes out of a byte-level decoder as U+FFFD.
#
# Expected: a token that was added as the text "ü" decodes to "ü".
# Seen:     the Rust library maps the letters of every token back to bytes, those of added tokens too. "ü" is the
#           alphabet's spelling of the byte 0xFC, which is no UTF-8 alone: decode() gives U+FFFD, while the JavaScript
#           twin gives the letter. DeepSeek's vocabularies add the symbols of the 13 bytes that UTF-8 never has (ø ö ú ÿ
#           õ ÷ û ý À ù Á þ ü), and encode() prefers them: German text does not survive encode and decode.
# Versions: tokenizers 0.23.2, @huggingface/tokenizers 0.2.0 (npm).
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund tokenizers@0.23.2 @huggingface/tokenizers@0.2.0

cat >compare.mjs <<'END'
import rust from "tokenizers";
import { Tokenizer as Script } from "@huggingface/tokenizers";
import { readFileSync, writeFileSync } from "node:fs";

const bytes = [...Array(256).keys()];
const shown = bytes.filter((b) => (b > 32 && b < 127) || (b > 160 && b !== 173));
const symbol = (b) => String.fromCodePoint(shown.includes(b) ? b : 256 + bytes.filter((c) => !shown.includes(c)).indexOf(b));
const used = bytes.filter((b) => b < 0xc0 || (b > 0xc1 && b < 0xf5));  // the bytes that UTF-8 has
const vocab = Object.fromEntries(used.map((b, id) => [symbol(b), id]));
const plain = { lstrip: false, rstrip: false, single_word: false, normalized: true, special: false };
const file = {
  version: "1.0", truncation: null, padding: null, added_tokens: [{ id: used.length, content: "ü", ...plain }],
  normalizer: null, post_processor: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: { type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
           fuse_unk: false, byte_fallback: false, vocab, merges: [] },
};
writeFileSync("tokenizer.json", JSON.stringify(file));
const a = rust.Tokenizer.fromFile("tokenizer.json"), b = new Script(file, {});
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
console.log(`tokenizers ${version("tokenizers")} (Rust), @huggingface/tokenizers ${version("@huggingface/tokenizers")}`);
const text = "für", ids = [...(await a.encode(text, null, { addSpecialTokens: false })).getIds()];
const fromRust = await a.decode(ids, true), fromScript = b.decode(ids, { skip_special_tokens: true });
console.log(`"${text}" is ${ids.join(" ")}; decoded by Rust "${fromRust}", by JavaScript "${fromScript}"`);
const good = ids.includes(used.length) && fromRust === "f\uFFFDr" && fromScript === text;
console.log(good ? "as described" : "CHANGED");
process.exit(good ? 0 : 1);
END
node compare.mjs
