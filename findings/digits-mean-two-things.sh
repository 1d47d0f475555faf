#!/usr/bin/env bash
# "Digits" in a tokenizer.json is not the same set of characters in Hugging Face's two tokenizer libraries.
#
# Expected: a pre-tokenizer {"type": "Digits", "individual_digits": true} cuts the same text the same way in the Rust
#           library (what transformers runs) and in its JavaScript twin (what transformers.js runs in a browser).
# Seen:     Rust cuts at every character of Unicode's numeric kinds (Nd, Nl, No: 5, ½, ², Ⅷ), JavaScript only at decimal
#           digits (Nd). Where a vocabulary has merges across the cut, ids differ without a word: prices with ½, areas
#           with m², Roman numerals. DeepSeek's vocabularies use this step.
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

// All 256 byte symbols, and merges that make one token of "m2" and one of "m²".
const bytes = [...Array(256).keys()];
const shown = bytes.filter((b) => (b > 32 && b < 127) || (b > 160 && b !== 173));
const symbol = (b) => String.fromCodePoint(shown.includes(b) ? b : 256 + bytes.filter((c) => !shown.includes(c)).indexOf(b));
const vocab = Object.fromEntries(bytes.map((b) => [symbol(b), b]));
const spell = (text) => [...Buffer.from(text)].map(symbol);
const merges = [];
const join = (left, right) => (merges.push(`${left} ${right}`), (vocab[left + right] ??= Object.keys(vocab).length));
join(...spell("m2"));
const [m, first, second] = spell("m²");
join(m, first);
join(m + first, second);
const file = {
  version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null, post_processor: null,
  pre_tokenizer: { type: "Sequence", pretokenizers: [
    { type: "Digits", individual_digits: true },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false }] },
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: { type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
           fuse_unk: false, byte_fallback: false, vocab, merges },
};
writeFileSync("tokenizer.json", JSON.stringify(file));
const a = rust.Tokenizer.fromFile("tokenizer.json"), b = new Script(file, {});
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
console.log(`tokenizers ${version("tokenizers")} (Rust), @huggingface/tokenizers ${version("@huggingface/tokenizers")}`);
let good = true;
for (const [text, differ] of [["m2", false], ["m²", true]]) {
  const left = (await a.encode(text, null, { addSpecialTokens: false })).getIds(), right = b.encode(text, { add_special_tokens: false }).ids;
  const different = JSON.stringify([...left]) !== JSON.stringify(right);
  console.log(`${text}: Rust ${[...left].length} tokens, JavaScript ${right.length}: ${different ? "different" : "equal"}`);
  good &&= different === differ;
}
console.log(good ? "as described" : "CHANGED");
process.exit(good ? 0 : 1);
END
node compare.mjs
