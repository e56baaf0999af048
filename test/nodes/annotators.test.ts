import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { tensor as tensorOf, type Tensor } from '../../src/compute/tensor.js';
import { createFolders, type Folders } from '../../src/models/folders/folders.js';
import type { AnnotatorKind } from '../../src/models/annotators/annotator.js';
import { positionsFor } from '../../src/models/annotators/depth-anything.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { nodeClasses } from '../../src/nodes/index.js';
import { relativeRms, syntheticCheckpoint } from '../support/golden.js';
import { nodeContext } from '../support/node-context.js';
import { fillSynthetic } from '../support/synthetic.js';
import { referenceCases } from '../support/reference-cases.js';

interface Case {
  readonly kind: AnnotatorKind;
  readonly file: string;
  readonly node: string;
  readonly inputs: Readonly<Record<string, string | number>>;
  readonly hint: string;
}

const { cases, tensor } = referenceCases<Case>('preprocessors/networks.safetensors');
const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
let root: string;
let folders: Folders;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latentd-annotators-'));
  // As comfyui_controlnet_aux has them, beside the models folder.
  const folder = join(root, 'custom_nodes/comfyui_controlnet_aux/ckpts/lllyasviel/Annotators');
  mkdirSync(folder, { recursive: true });
  for (const { kind, file } of cases) {
    copyFileSync(syntheticCheckpoint(`preprocessors/${kind}`), join(folder, `${file}.safetensors`));
  }
  const models = join(root, 'models');
  folders = createFolders({ models, input: root, output: root, temp: root });
});

afterAll(async () => {
  await programs.dispose();
  rmSync(root, { recursive: true });
});

const store = () => createModelStore({ programs, folders });

describe("networks that make hints are comfyui_controlnet_aux's", () => {
  it.each([...new Set(cases.map(({ kind }) => kind))])('%s', async (kind) => {
    const { file } = cases.find((each) => each.kind === kind)!;
    const path = folders.resolve('annotators', `lllyasviel/Annotators/${file}.safetensors`);
    const annotator = store().annotator(path, kind);
    const [, , height, width] = tensor(`${kind}.y`).shape as [number, number, number, number];
    const x = tensorOf([1, 3, height, width]);
    fillSynthetic(`${kind}.pos_embed`, x.shape, x.data);
    const positions =
      kind === 'depthAnything' ? { positions: positionsFor(annotator.weights, height, width) } : {};
    expect(relativeRms(await annotator.annotate(x, positions), tensor(`${kind}.y`))).toBeLessThan(2e-5);
  });

  it.each(cases)('$node $inputs', async ({ node, inputs, hint }) => {
    const bytes = tensor('picture');
    const image = tensorOf(
      [1, ...bytes.shape],
      bytes.data.map((value) => value / 255),
    );
    const context = { ...nodeContext(), folders, models: store() };
    const { outputs } = (await nodeClasses.get(node)!.run({ ...inputs, image } as never, context)) as {
      outputs: readonly [Tensor];
    };
    const expected = tensor(hint);
    expect(outputs[0].shape).toEqual([1, ...expected.shape.slice(0, 2), 3]);
    const errors = expected.data.map((value, at) =>
      Math.abs(Math.round(outputs[0].data[3 * at]! * 255) - value),
    );
    expect(errors.filter((error) => error > 1).length / errors.length).toBeLessThanOrEqual(1e-3);
  });

  it('names the file that is missing, and what a wrong one is', async () => {
    const context = nodeContext();
    const image = tensorOf([1, 8, 8, 3]);
    const run = () => nodeClasses.get('HEDPreprocessor')!.run({ image } as never, context);
    await expect(
      (async () => {
        await run();
      })(),
    ).rejects.toThrow(/ControlNetHED\.pth/);
    const path = folders.resolve('annotators', 'lllyasviel/Annotators/netG.safetensors');
    expect(() => store().annotator(path, 'hed')).toThrow(/is no HED; it looks like LineArt anime/);
  });
});
