/** `latentd convert`, in this process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { convertFile, type ConvertFlags } from '../../src/cli/convert/convert-file.js';
import { settingsFrom } from '../../src/cli/setting-options.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'latentd-convert-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const put = (name: string, value: unknown) => {
  writeFileSync(join(home, name), JSON.stringify(value));
  return join(home, name);
};
const convert = async (workflow: object, flags: ConvertFlags = {}) => {
  const { settings } = await settingsFrom({ models: join(home, 'models') });
  return convertFile(put('workflow.json', workflow), flags, settings);
};
const prompt = (text: string) => ({
  nodes: [
    { id: 1, type: 'CLIPTextEncode', inputs: [{ name: 'clip', type: 'CLIP' }], widgets_values: [text] },
  ],
  links: [],
});

test('writes to a file, indented, letters as they are', async () => {
  const { json, refusal, notices } = await convert(prompt('ein Häschen'), { out: join(home, 'api.json') });
  expect([json.status, refusal, notices]).toEqual(['success', undefined, []]);
  expect(readFileSync(join(home, 'api.json'), 'utf8')).toBe(
    '{\n  "1": {\n    "inputs": {\n      "text": "ein Häschen"\n    },\n    "class_type": "CLIPTextEncode",\n' +
      '    "_meta": {\n      "title": "CLIP Text Encode (Prompt)"\n    }\n  }\n}\n',
  );
});

test('a seed decides what is chosen', async () => {
  const of = async (seed: string) => (await convert(prompt('{a|b|c|d|e|f|g|h}'), { seed })).text!;
  const texts = await Promise.all(['1', '1', '2', '3', '4', '5', '6', '7', '8', '9'].map(of));
  expect(texts[0]).toBe(texts[1]);
  expect(new Set(texts).size).toBeGreaterThan(2);
});

test('classes that are missing: told, or the reason for which there is no file', async () => {
  const foreign = {
    nodes: [{ id: 1, type: 'RegionalSampler', widgets_values: [512, true] }],
    links: [],
  };
  const refused = await convert(foreign);
  expect(refused.json).toMatchObject({
    status: 'invalid',
    missing: [{ class_type: 'RegionalSampler', pack: 'ltdrdata/ComfyUI-Impact-Pack' }],
    error: { type: 'missing_node_type' },
  });
  expect(refused.text).toBeUndefined();
  const objectInfo = put('info.json', {
    RegionalSampler: {
      input: { required: { guide_size: ['FLOAT', { default: 512 }], on: ['BOOLEAN', {}] } },
      output: [],
    },
  });
  const told = await convert(foreign, { objectInfo });
  expect(told.json.workflow).toMatchObject({ 1: { inputs: { guide_size: 512, on: true } } });
  expect(told.notices).toEqual([
    expect.stringMatching(/^latentd lacks RegionalSampler: it is of ComfyUI Impact Pack/),
  ]);
});

test('an object_info that is none', async () => {
  const objectInfo = put('info.json', { RegionalSampler: 5 });
  await expect(convert(prompt('x'), { objectInfo })).rejects.toThrow(
    /info.json is no object_info of ComfyUI's/,
  );
});
