import { expect, test } from 'vitest';
import { destination } from '../../src/pull/destination.js';
import { namedModels } from '../../src/pull/named-models.js';
import { missingPieces, withRange } from '../../src/pull/ranges.js';
import { parseReference } from '../../src/pull/reference.js';
import { dispositionName } from '../../src/pull/sites.js';

test.each([
  [
    'hf:stabilityai/sdxl-turbo/sd_xl_turbo.safetensors',
    { site: 'hf', repo: 'stabilityai/sdxl-turbo', revision: 'main', file: 'sd_xl_turbo.safetensors' },
  ],
  ['hf:a/b@refs%2Fpr%2F1/x/y.gguf', { site: 'hf', repo: 'a/b', revision: 'refs%2Fpr%2F1', file: 'x/y.gguf' }],
  [
    'https://huggingface.co/a/b/blob/main/x%20y/z.safetensors',
    { site: 'hf', repo: 'a/b', revision: 'main', file: 'x y/z.safetensors' },
  ],
  [
    'https://huggingface.co/a/b/resolve/v1/x/z.safetensors?download=true',
    { site: 'hf', repo: 'a/b', revision: 'v1', file: 'x/z.safetensors' },
  ],
  ['civitai:12', { site: 'civitai', model: '12' }],
  ['civitai:12@34', { site: 'civitai', model: '12', version: '34' }],
  [
    'https://civitai.com/models/12/some-name?modelVersionId=34',
    { site: 'civitai', model: '12', version: '34' },
  ],
  ['https://civitai.com/api/download/models/34?type=Model', { site: 'civitai', version: '34' }],
  ['https://example.org/x.pth', { site: 'web', url: new URL('https://example.org/x.pth') }],
])('reads %s', (text, expected) => {
  expect(parseReference(text)).toEqual(expected);
});

test.each([
  '',
  'model.safetensors',
  'hf:a/b',
  'hf:a/b/../../c',
  'civitai:x',
  'file:///etc/passwd',
  'ftp://a/b',
])('does not read %j', (text) => {
  expect(() => parseReference(text)).toThrow('is no reference; give hf:OWNER/REPO/FILE');
});

test('a file never leaves the models folder', () => {
  expect(destination('/m', 'checkpoints', 'SDXL/base.safetensors')).toBe(
    '/m/checkpoints/SDXL/base.safetensors',
  );
  for (const name of [
    '../x',
    'a/../../x',
    '/etc/x',
    '',
    '.hidden',
    'a\\b',
    'a\nb',
    'a\u202eb',
    'x'.repeat(300),
  ]) {
    expect(() => destination('/m', 'checkpoints', name), JSON.stringify(name)).toThrow(
      "can't be the name of a model",
    );
  }
  for (const folder of ['..', '/etc', 'a/../..', '']) {
    expect(() => destination('/m', folder, 'x'), folder).toThrow("can't be the folder of a model");
  }
});

test('knows which bytes are missing', () => {
  const have = withRange(withRange(withRange([], [10, 20]), [30, 40]), [0, 5]);
  expect(have).toEqual([
    [0, 5],
    [10, 20],
    [30, 40],
  ]);
  expect(missingPieces(have, 50, 100)).toEqual([
    [5, 10],
    [20, 30],
    [40, 50],
  ]);
  expect(missingPieces(have, 50, 4)).toEqual([
    [5, 9],
    [9, 10],
    [20, 24],
    [24, 28],
    [28, 30],
    [40, 44],
    [44, 48],
    [48, 50],
  ]);
  expect(withRange(have, [4, 31])).toEqual([[0, 40]]);
  expect(missingPieces([[0, 50]], 50, 4)).toEqual([]);
});

test('finds the models of either format, with what their places say', () => {
  const api = {
    '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'SDXL\\base.safetensors' } },
    '2': { class_type: 'LoraLoader', inputs: { lora_name: 'x.safetensors', model: ['1', 0] } },
    '3': { class_type: 'CLIPTextEncode', inputs: { text: 'a file, as photo.png' } },
  };
  expect(namedModels(api)).toEqual([
    { name: 'SDXL/base.safetensors', folder: 'checkpoints', url: undefined },
    { name: 'x.safetensors', folder: 'loras', url: undefined },
  ]);
  const editor = {
    nodes: [
      {
        type: 'UNETLoader',
        widgets_values: ['Flux/flux1-dev.safetensors', 'default'],
        properties: {
          models: [
            {
              name: 'flux1-dev.safetensors',
              url: 'https://huggingface.co/x/y/resolve/main/z',
              directory: 'diffusion_models',
            },
          ],
        },
      },
    ],
    definitions: { subgraphs: [{ nodes: [{ type: 'VAELoader', widgets_values: ['ae.safetensors'] }] }] },
  };
  expect(namedModels(editor)).toEqual([
    {
      name: 'Flux/flux1-dev.safetensors',
      folder: 'diffusion_models',
      url: 'https://huggingface.co/x/y/resolve/main/z',
    },
    { name: 'ae.safetensors', folder: 'vae', url: undefined },
  ]);
});

test('reads the name that a server gives a file', () => {
  const named = (header: string) =>
    dispositionName(new Response('', { headers: { 'content-disposition': header } }));
  expect(named('attachment; filename="a b.safetensors"')).toBe('a b.safetensors');
  expect(named("attachment; filename=x.bin; filename*=UTF-8''na%C3%AFve.bin")).toBe('naïve.bin');
  expect(named('inline')).toBeUndefined();
});
