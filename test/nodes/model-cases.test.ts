import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { nodeClasses } from '../../src/nodes/index.js';
import { tinyCheckpoint } from '../support/golden.js';
import { nodeContext } from '../support/node-context.js';
import { referenceCases } from '../support/reference-cases.js';
import { differences, readValue, type Written } from '../support/reference-values.js';

interface NodeCase {
  readonly node: string;
  readonly inputs: Readonly<Record<string, Written>>;
  readonly outputs: readonly Written[];
}

const { cases, tensor } = referenceCases<NodeCase>('nodes/model-cases.safetensors');
const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

/** Values of a few units after a whole network; the reference differs from itself by about as much. */
const TOLERANCE = 5e-5;

describe("nodes return what ComfyUI's do with the tiny checkpoints' text encoders and VAEs", () => {
  it.each([...new Set(cases.map(({ node }) => node))])('%s', async (name) => {
    const context = nodeContext();
    const models = createModelStore({ programs, folders: context.folders });
    const open = (family: 'sd15' | 'sdxl') => models.checkpoint(tinyCheckpoint(family));
    const found: string[] = [];
    for (const [index, { inputs, outputs }] of cases.filter(({ node }) => node === name).entries()) {
      const values = Object.fromEntries(
        Object.entries(inputs).map(([key, written]) => [key, readValue(written, tensor, open)] as const),
      );
      const result = (await nodeClasses.get(name)?.run(values as never, context)) as {
        readonly outputs: unknown;
      };
      const expected = outputs.map((written) => readValue(written, tensor));
      found.push(...differences(result.outputs, expected, TOLERANCE, `case ${index}`));
    }
    expect(found).toEqual([]);
  });
});
