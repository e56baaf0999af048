/** What the interpreter costs beside the nodes' own work: a text-to-image workflow's shape with nodes that do next to nothing. */
import { tmpdir } from 'node:os';
import { tensor } from '../src/compute/tensor.js';
import { engineOf } from '../src/engine/engine.js';
import { createFolders } from '../src/models/folders/folders.js';
import {
  combo,
  defineNode,
  float,
  int,
  link,
  seed,
  string,
  type AnyNodeClass,
} from '../src/nodes/definition.js';
import { comparison } from './harness/comparison.js';
import { contest } from './harness/contest.js';
import { noModels } from '../test/support/no-models.js';

const described = { displayName: '', category: 'bench', description: '', optional: {} };
const latent = { type: 'LATENT', name: 'LATENT' } as const;
const image = { type: 'IMAGE', name: 'IMAGE' } as const;
const nothing = tensor([1, 4, 8, 8]);

const classes: AnyNodeClass[] = [
  defineNode({
    ...described,
    name: 'Text',
    required: { text: string() },
    outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
    run: () => ({ outputs: [[]] }),
  }),
  defineNode({
    ...described,
    name: 'Empty',
    required: {
      width: int({ default: 512, min: 16, max: 16384 }),
      height: int({ default: 512, min: 16, max: 16384 }),
    },
    outputs: [latent],
    run: () => ({ outputs: [{ samples: nothing }] }),
  }),
  defineNode({
    ...described,
    name: 'Sample',
    required: {
      seed: seed(),
      steps: int({ default: 20, min: 1, max: 10_000 }),
      cfg: float({ default: 8, min: 0, max: 100 }),
      sampler_name: combo(['euler', 'dpmpp_2m']),
      positive: link('CONDITIONING'),
      negative: link('CONDITIONING'),
      latent_image: link('LATENT'),
    },
    outputs: [latent],
    run: ({ steps, latent_image: start }, { progress }) => {
      for (let step = 1; step <= steps; step++)
        progress({ step, totalSteps: steps, denoised: start.samples });
      return { outputs: [start] };
    },
  }),
  defineNode({
    ...described,
    name: 'Decode',
    required: { samples: link('LATENT') },
    outputs: [image],
    run: ({ samples }) => ({ outputs: [samples.samples] }),
  }),
  defineNode({
    ...described,
    name: 'Show',
    required: { images: link('IMAGE') },
    outputs: [],
    outputNode: true,
    run: () => ({ outputs: [], ui: { images: [] } }),
  }),
];

/** A list, and what is mapped over it. */
classes.push(
  defineNode({
    ...described,
    name: 'List',
    required: { count: int({ default: 64, min: 1, max: 10_000 }) },
    outputs: [{ type: 'INT', name: 'INT', isList: true }],
    run: ({ count }) => ({ outputs: [Array.from({ length: count }, (_, index) => index)] }),
  }),
  defineNode({
    ...described,
    name: 'Add',
    required: { a: int({ default: 0, min: -1e9, max: 1e9 }), b: int({ default: 1, min: -1e9, max: 1e9 }) },
    outputs: [{ type: 'INT', name: 'INT' }],
    run: ({ a, b }) => ({ outputs: [a + b] }),
  }),
  defineNode({
    ...described,
    name: 'ShowNumbers',
    required: { value: int({ default: 0, min: -1e9, max: 1e9 }) },
    outputs: [],
    outputNode: true,
    run: () => ({ outputs: [], ui: { images: [] } }),
  }),
);

const engine = engineOf({
  registry: new Map(classes.map((node) => [node.name, node])),
  folders: createFolders({ models: tmpdir(), input: tmpdir(), output: tmpdir(), temp: tmpdir() }),
  models: noModels(),
  resultBytes: 1 << 30,
  dispose: () => Promise.resolve(),
});

const drawing = (seedText: string) => `{
  "3": {"class_type": "Sample", "inputs": {"seed": ${seedText}, "steps": 20, "cfg": 7.0, "sampler_name": "euler",
        "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
  "5": {"class_type": "Empty", "inputs": {"width": 512, "height": 512}},
  "6": {"class_type": "Text", "inputs": {"text": "pixel art character sprite, 16bit game art style"}},
  "7": {"class_type": "Text", "inputs": {"text": "blurry, low quality"}},
  "8": {"class_type": "Decode", "inputs": {"samples": ["3", 0]}},
  "9": {"class_type": "Show", "inputs": {"images": ["8", 0]}}
}`;

const chain = JSON.stringify(
  Object.fromEntries([
    ['0', { class_type: 'Empty', inputs: { width: 512, height: 512 } }],
    ...Array.from({ length: 1000 }, (_, index) => [
      String(index + 1),
      {
        class_type: 'Sample',
        inputs: {
          seed: index,
          steps: 1,
          cfg: 1,
          sampler_name: 'euler',
          positive: ['text', 0],
          negative: ['text', 0],
          latent_image: [String(index), 0],
        },
      },
    ]),
    ['text', { class_type: 'Text', inputs: { text: '' } }],
    ['image', { class_type: 'Decode', inputs: { samples: ['1000', 0] } }],
    ['end', { class_type: 'Show', inputs: { images: ['image', 0] } }],
  ]),
);

const mapped = JSON.stringify(
  Object.fromEntries([
    ['0', { class_type: 'List', inputs: { count: 64 } }],
    ...Array.from({ length: 1000 }, (_, index) => [
      String(index + 1),
      { class_type: 'Add', inputs: { a: [String(index), 0], b: 1 } },
    ]),
    ['end', { class_type: 'ShowNumbers', inputs: { value: ['1000', 0] } }],
  ]),
);

let next = 0;

comparison(
  'interpreter',
  'What the interpreter costs: workflows whose nodes do next to nothing.',
  async (results) => {
    const run = async (workflow: string) => {
      const result = await engine.run(workflow, { onEvent: () => undefined });
      if (result.status !== 'success') throw new Error(JSON.stringify(result));
    };
    await contest(results, 'six nodes, as text to image', [
      // Three nodes run, twenty steps are reported.
      { name: 'run with a new seed', run: () => run(drawing(String(next++))) },
      { name: 'run unchanged', run: () => run(drawing('42')) },
      { name: 'validate', run: () => engine.validate(drawing('42')) },
    ]);
    await contest(
      results,
      'a chain of a thousand nodes',
      [
        {
          name: 'run, nothing known',
          run: async () => {
            engine.clearResults();
            await run(chain);
          },
        },
        { name: 'run unchanged', run: () => run(chain) },
        { name: 'validate', run: () => engine.validate(chain) },
      ],
      { rounds: 10 },
    );
    await contest(
      results,
      'a thousand utility nodes over a list of 64',
      [
        {
          name: 'run, nothing known',
          run: async () => {
            engine.clearResults();
            await run(mapped);
          },
        },
      ],
      { rounds: 10 },
    );
  },
);
