import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { llamaVocabulary } from '../../../src/models/text/vocabularies/llama.js';
import { qwenVocabulary } from '../../../src/models/text/vocabularies/qwen.js';
import { sentencePieceVocabulary } from '../../../src/models/text/vocabularies/sentence-piece.js';
import { readSentencePieceModel } from '../../../src/models/text/vocabularies/sentence-piece-model.js';
import { sentencePieceFile } from '../../../src/models/text/vocabularies/vocabularies.js';
import { t5Vocabulary } from '../../../src/models/text/vocabularies/t5.js';
import { tekkenVocabulary } from '../../../src/models/text/vocabularies/tekken.js';
import type { Vocabulary } from '../../../src/models/text/vocabularies/vocabulary.js';
import { ModelError } from '../../../src/models/model-error.js';
import { fixture } from '../../support/golden.js';
import { readGzipped } from '../../support/gzipped.js';

const carried = (name: string) => gunzipSync(readFileSync(fixture(`golden/manifests/${name}`)));
const spiece = (name: string) => () =>
  sentencePieceVocabulary(readSentencePieceModel(carried(`${name}-tiny.spiece.gz`)));

const vocabularies: Readonly<Record<string, () => Vocabulary>> = {
  qwen: qwenVocabulary,
  umt5xxl: spiece('umt5xxl'),
  gemma2_2b: spiece('gemma2_2b'),
  t5: () => t5Vocabulary(fixture('text/t5-stand-in.json.gz')),
  gemma2_2b_file: () => sentencePieceFile(fixture('golden/manifests/gemma2_2b-tiny.spiece.gz')),
  llama: () => llamaVocabulary(fixture('text/llama-stand-in.json.gz')),
};

describe.each(Object.keys(vocabularies))('%s', (name) => {
  it('cuts texts that tokenizers differ in as the reference does', () => {
    const known = readGzipped('text/vocabularies.json.gz') as Record<string, [string, number[]][]>;
    const cases = known[name.replace('_file', '')]!;
    const vocabulary = vocabularies[name]!();
    expect(cases.length).toBeGreaterThan(30);
    expect(cases.map(([text]) => [text, vocabulary.encode(text)])).toEqual(cases);
  });
});

it('takes special tokens of Mistral first, and the others by their rank behind them', () => {
  const vocabulary = tekkenVocabulary(carried('mistral3-tiny.tekken.json.gz'));
  expect(vocabulary.encode('[INST]')).toEqual([3]);
  expect(vocabulary.encode('\u0000')).toEqual([1000]);
});

it('tells what is no SentencePiece model', () => {
  expect(() => readSentencePieceModel(Buffer.from('{"version": "1.0"}'))).toThrow(RangeError);
  expect(() => readSentencePieceModel(carried('umt5xxl-tiny.spiece.gz').subarray(0, -1))).toThrow(
    'cut short',
  );
});

it("tells what is no tokenizer of T5's or Llama's", () => {
  expect(() => t5Vocabulary(fixture('text/tokens.json.gz'))).toThrow(ModelError);
  expect(() => sentencePieceFile(fixture('text/t5-stand-in.json.gz'))).toThrow('no SentencePiece model');
  expect(() => llamaVocabulary(fixture('text/t5-stand-in.json.gz'))).toThrow('no tokenizer of Llama 3');
});
