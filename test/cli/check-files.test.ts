/** `latentd check`, in this process. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFile } from '../../src/cli/check/check-file.js';
import { describeReport } from '../../src/cli/check/describe.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { nodeClasses } from '../../src/nodes/index.js';

const STARTER = 'starter-sprites.safetensors';
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'latentd-check-'));
  for (const folder of ['models/checkpoints', 'input', 'graphs'])
    mkdirSync(join(home, folder), { recursive: true });
  copyFileSync(
    join(import.meta.dirname, '../../models/checkpoints', STARTER),
    join(home, 'models/checkpoints', STARTER),
  );
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

function check(workflow: unknown) {
  const file = join(home, 'workflow.json');
  writeFileSync(file, typeof workflow === 'string' ? workflow : JSON.stringify(workflow));
  const at = (name: string) => join(home, name);
  const folders = createFolders({
    models: at('models'),
    input: at('input'),
    output: at('output'),
    temp: at('temp'),
  });
  return checkFile(file, { registry: nodeClasses, folders, graphs: at('graphs') });
}

const drawing = (checkpoint: string) => ({
  1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: checkpoint } },
  2: { class_type: 'CLIPTextEncode', inputs: { text: 'cat', clip: ['1', 1] } },
  3: { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 128, batch_size: 1 } },
  4: {
    class_type: 'KSampler',
    inputs: {
      seed: 1,
      steps: 2,
      cfg: 4,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['2', 0],
      latent_image: ['3', 0],
    },
  },
  5: { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
  6: { class_type: 'SaveImage', inputs: { images: ['5', 0], filename_prefix: 'x' } },
});

describe('a workflow that can run', () => {
  test('with its models, their family and what memory they take', async () => {
    const report = await check(drawing(STARTER));
    expect(report).toMatchObject({
      can_run: true,
      outputs: ['6'],
      missing_classes: [],
      missing_models: [],
      faults: [],
      ignored: [],
    });
    expect(report.models).toEqual([
      { name: STARTER, kind: 'checkpoints', bytes: expect.any(Number) as number, family: 'sd1' },
    ]);
    expect(report.memory!.model_bytes).toBe(report.models[0]!.bytes);
    // At least the picture, and the latent of both halves of guidance.
    expect(report.memory!.working_bytes).toBeGreaterThan(4 * 3 * 128 * 128);
  });

  test('and what is in it for nothing', async () => {
    const more = {
      7: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 0 } },
    };
    const workflow = { ...drawing(STARTER), ...more };
    workflow[5].inputs = { ...workflow[5].inputs, tiled: true } as never;
    const { can_run: canRun, ignored } = await check(workflow);
    expect(canRun).toBe(true);
    expect(ignored).toEqual([
      `node 5 (VAEDecode): input "tiled", which the class doesn't take`,
      'node 7 (EmptyImage), which no output needs',
    ]);
  });
});

describe('a workflow that can not', () => {
  test('for a model: nearest names, and where it can be had', async () => {
    const near = await check(drawing('starter-sprite.safetensors'));
    expect(near).toMatchObject({
      can_run: false,
      faults: [],
      missing_models: [
        {
          name: 'starter-sprite.safetensors',
          kind: 'checkpoints',
          node: '1',
          input: 'ckpt_name',
          nearest: [STARTER],
        },
      ],
    });
    const known = await check(drawing('SDXL\\sd_xl_base_1.0.safetensors'));
    expect(known.missing_models[0]).toMatchObject({
      kind: 'checkpoints',
      from: expect.stringMatching(/sd_xl_base_1\.0/) as string,
    });
    expect(describeReport(known)).toMatch(
      /can't run\n {2}missing model SDXL\\sd_xl_base_1.0.safetensors \(checkpoints; node 1, ckpt_name\); from /,
    );
  });

  test('for classes: of which pack, and what of it there is', async () => {
    const report = await check({
      ...drawing(STARTER),
      8: { class_type: 'VHS_LoadImages', inputs: {} },
      9: { class_type: 'nobody knows this', inputs: { model: 'strange.gguf' } },
    });
    expect(report.can_run).toBe(false);
    expect(report.missing_classes).toEqual([
      {
        class_type: 'VHS_LoadImages',
        nodes: ['8'],
        pack: 'Kosinkadink/ComfyUI-VideoHelperSuite',
        has: expect.arrayContaining(['VHS_LoadVideo', 'VHS_VideoCombine']) as string[],
      },
      { class_type: 'nobody knows this', nodes: ['9'] },
    ]);
    expect(report.missing_models).toMatchObject([{ name: 'strange.gguf', node: '9', input: 'model' }]);
  });

  test("an address that ComfyUI's template gives", async () => {
    const report = await check({
      nodes: [
        {
          id: 1,
          type: 'CheckpointLoaderSimple',
          outputs: [{ name: 'MODEL', type: 'MODEL' }],
          widgets_values: ['own.safetensors'],
          properties: {
            models: [
              {
                name: 'own.safetensors',
                url: 'https://example.org/own.safetensors',
                directory: 'checkpoints',
              },
            ],
          },
        },
      ],
      links: [],
      version: 0.4,
    });
    expect(report.missing_models).toMatchObject([
      { name: 'own.safetensors', from: 'https://example.org/own.safetensors' },
    ]);
  });

  test('for a file of a model that is none, values out of bounds, and what is no workflow', async () => {
    writeFileSync(join(home, 'models/checkpoints/broken.safetensors'), 'no model');
    const broken = await check(drawing('broken.safetensors'));
    expect([broken.can_run, broken.models[0]?.error]).toEqual([false, expect.any(String)]);
    const bounds = drawing(STARTER);
    bounds[4].inputs.steps = 0;
    expect((await check(bounds)).faults).toEqual([
      expect.stringMatching(/^node 4 \(KSampler\): Value 0 smaller than min of 1/),
    ]);
    expect(await check('{"1": ')).toMatchObject({
      can_run: false,
      faults: [expect.stringMatching(/^Not JSON: line 1/)],
    });
  });
});
