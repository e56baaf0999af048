import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SHIPPED_GRAPHS } from '../../src/config/settings.js';
import { placeholdersOf } from '../../src/templates/placeholders.js';
import { parseWorkflow } from '../../src/workflow/parse.js';

const read = (name: string) => parseWorkflow(readFileSync(join(SHIPPED_GRAPHS, name), 'utf8'));

/** Those that DGX-Pixels' clients ask for by what they send. */
const protocol = [
  'animation.json',
  'batch.json',
  'controlled.json',
  'image_to_image.json',
  'pixel_art_lora.json',
  'sprite_optimized.json',
  'tileset.json',
];
const all = readdirSync(SHIPPED_GRAPHS).sort();

test('there is one for every case of the protocol', () => {
  expect(all).toEqual(expect.arrayContaining(protocol));
  expect(placeholdersOf(read('batch.json'))).toContain('BATCH_INDEX');
  expect(placeholdersOf(read('animation.json'))).toContain('FRAME_INDEX');
});

describe.each(protocol)('%s', (name) => {
  const { nodes } = read(name);
  const byClass = (classType: string) => [...nodes.values()].filter((node) => node.classType === classType);

  test('takes a prompt, names the checkpoint that clients know, and saves a picture', () => {
    expect(placeholdersOf(read(name))).toContain('PROMPT');
    expect(byClass('CheckpointLoaderSimple').map((node) => node.inputs.get('ckpt_name'))).toEqual([
      'sd_xl_base_1.0.safetensors',
    ]);
    expect(byClass('SaveImage')).toHaveLength(1);
  });

  test('has the prompts where titles and links both say so', () => {
    const [sampler] = byClass('KSampler');
    // Nodes that change both prompts hand each on under its name.
    const source = (input: string) => {
      let node = sampler;
      for (let link = node?.inputs.get(input); Array.isArray(link); link = node?.inputs.get(input)) {
        node = nodes.get(String(link[0]));
      }
      return node;
    };
    expect(source('positive')?.title).toBe('Positive Prompt');
    expect(source('negative')?.title).toBe('Negative Prompt');
  });
});

describe.each(all)('%s', (name) => {
  const { nodes } = read(name);

  test('takes a prompt', () => {
    expect(placeholdersOf(read(name))).toContain('PROMPT');
  });

  test('links lead to nodes', () => {
    for (const node of nodes.values()) {
      for (const value of node.inputs.values()) {
        if (Array.isArray(value)) expect(nodes.has(String(value[0]))).toBe(true);
      }
    }
  });
});
