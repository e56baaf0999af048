import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findVocabulary } from '../../../src/models/folders/vocabulary-files.js';
import { ModelError } from '../../../src/models/model-error.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'latentd-vocabulary-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

function write(...path: readonly string[]): string {
  const file = join(home, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '{}');
  return file;
}

it.each([
  [['models', 'tokenizers', 't5_tokenizer', 'tokenizer.json']],
  [['models', 'tokenizers', 't5.json.gz']],
  [['comfy', 'text_encoders', 't5_tokenizer', 'tokenizer.json']],
  [['ComfyUI', 'comfy', 'text_encoders', 't5_tokenizer', 'tokenizer.json']],
])("finds T5's tokenizer at %j beside the models folder", (path) => {
  const file = write(...path);
  expect(findVocabulary([join(home, 'models')], 't5')).toBe(file);
});

it("finds AuraFlow's, whose file is of another kind, likewise", () => {
  const file = write('comfy', 'text_encoders', 't5_pile_tokenizer', 'tokenizer.model');
  expect(findVocabulary([join(home, 'models')], 't5_pile')).toBe(file);
});

it("takes a user's own before ComfyUI's, and the first models folder's before another's", () => {
  write('comfy', 'text_encoders', 't5_tokenizer', 'tokenizer.json');
  const own = write('models', 'tokenizers', 't5', 'tokenizer.json');
  write('other', 'tokenizers', 't5', 'tokenizer.json');
  expect(findVocabulary([join(home, 'models'), join(home, 'other')], 't5')).toBe(own);
});

it('says which file is missing, where it comes from, and where it would be found', () => {
  const models = join(home, 'models');
  expect(() => findVocabulary([models], 't5')).toThrow(ModelError);
  expect(() => findVocabulary([models], 't5')).toThrow(
    `put it at ${join(models, 'tokenizers', 't5_tokenizer', 'tokenizer.json')}`,
  );
  expect(() => findVocabulary([models], 't5')).toThrow('comfy/text_encoders/t5_tokenizer of ComfyUI');
});
