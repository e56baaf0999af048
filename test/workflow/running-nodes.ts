/** Small node classes that compute something, for running: numbers, tensors, files, steps, failures. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { tensor } from '../../src/compute/tensor.js';
import {
  combo,
  defineNode,
  float,
  int,
  link,
  seed,
  string,
  type AnyNodeClass,
} from '../../src/nodes/definition.js';
import type { NodeRegistry } from '../../src/nodes/index.js';

const described = { displayName: '', category: 'test', description: '' };
const image = { type: 'IMAGE', name: 'IMAGE' } as const;
const text = { type: 'STRING', name: 'STRING' } as const;

export interface RunningNodes {
  readonly registry: NodeRegistry;
  /** Ids of nodes that ran, in that order. */
  readonly ran: string[];
}

export function runningNodes(): RunningNodes {
  const ran: string[] = [];

  /** size pixels of one shade. */
  const flat = defineNode({
    ...described,
    name: 'Flat',
    required: { shade: float({ default: 1, min: 0, max: 1 }) },
    optional: { size: int({ default: 4, min: 1, max: 1_000_000 }) },
    outputs: [image, { type: 'INT', name: 'size' }],
    run: ({ shade, size = 4 }, { nodeId }) => {
      ran.push(nodeId);
      const pixels = tensor([1, 1, size, 1]);
      pixels.data.fill(shade);
      return { outputs: [pixels, size] };
    },
  });

  const add = defineNode({
    ...described,
    name: 'Add',
    required: { a: link('IMAGE'), b: link('IMAGE') },
    optional: {},
    outputs: [image],
    run: async ({ a, b }, { nodeId }) => {
      ran.push(nodeId);
      await eventLoopTurn();
      return {
        outputs: [
          tensor(
            a.shape,
            a.data.map((value, index) => value + b.data[index]!),
          ),
        ],
      };
    },
  });

  /** Hands its image on: the cheapest node. */
  const pass = defineNode({
    ...described,
    name: 'Pass',
    required: { image: link('IMAGE') },
    optional: { note: string() },
    outputs: [image],
    run: ({ image: given }, { nodeId }) => {
      ran.push(nodeId);
      return { outputs: [given] };
    },
  });

  /** Adds 1 a step, reports each, and looks at the signal before each. */
  const walk = defineNode({
    ...described,
    name: 'Walk',
    required: { image: link('IMAGE'), steps: int({ default: 3, min: 1, max: 100_000 }) },
    optional: {},
    outputs: [image],
    run: async ({ image: start, steps }, { nodeId, signal, progress }) => {
      ran.push(nodeId);
      let at = start;
      for (let step = 1; step <= steps; step++) {
        signal.throwIfAborted();
        at = tensor(
          at.shape,
          at.data.map((value) => value + 1),
        );
        progress({ step, totalSteps: steps, denoised: at });
        await eventLoopTurn();
      }
      return { outputs: [at] };
    },
  });

  const dice = defineNode({
    ...described,
    name: 'Dice',
    required: { seed: seed() },
    optional: {},
    outputs: [text],
    run: ({ seed: given }, { nodeId }) => {
      ran.push(nodeId);
      return { outputs: [`${typeof given} ${given.toString()}`] };
    },
  });

  const fail = defineNode({
    ...described,
    name: 'Fail',
    required: { image: link('IMAGE'), message: string() },
    optional: { seed: seed() },
    outputs: [image],
    run: ({ message }, { nodeId }) => {
      ran.push(nodeId);
      throw new RangeError(message);
    },
  });

  /** Size and date of an input file are its fingerprint. */
  const file = defineNode({
    ...described,
    name: 'File',
    required: { file: combo([], { reject: () => undefined }) },
    optional: {},
    outputs: [image],
    fingerprint: ({ file: name }, folders) => {
      const { size, mtimeMs } = statSync(folders.resolveInput(name));
      return `${size} ${mtimeMs}`;
    },
    run: ({ file: name }, { nodeId, folders }) => {
      ran.push(nodeId);
      const pixels = tensor([1, 1, 1, 1]);
      pixels.data[0] = statSync(folders.resolveInput(name)).size;
      return { outputs: [pixels] };
    },
  });

  /** Writes the sum of its pixels to a file. */
  const save = defineNode({
    ...described,
    name: 'Save',
    required: { image: link('IMAGE') },
    optional: { name: string({ default: 'sum' }) },
    outputs: [],
    outputNode: true,
    run: ({ image: { data }, name = 'sum' }, { nodeId, folders, metadata }) => {
      ran.push(nodeId);
      const filename = `${name}.txt`;
      const path = join(folders.output, filename);
      const sum = data.reduce((total, value) => total + value, 0);
      writeFileSync(path, JSON.stringify({ sum, metadata }));
      return { outputs: [], ui: { images: [{ filename, subfolder: '', type: 'output', path }] } };
    },
  });

  const print = defineNode({
    ...described,
    name: 'Print',
    required: { text: link('STRING'), name: string({ default: 'text' }) },
    optional: {},
    outputs: [],
    outputNode: true,
    run: ({ text: given, name }, { nodeId, folders }) => {
      ran.push(nodeId);
      writeFileSync(join(folders.output, `${name}.txt`), given);
      return { outputs: [] };
    },
  });

  /** Claims two outputs and returns what it is told to. */
  const short: AnyNodeClass = {
    ...described,
    name: 'Short',
    required: {},
    optional: { nothing: string() },
    outputs: [image, image],
    run: ({ nothing }: { readonly nothing?: string }) =>
      nothing === undefined ? { outputs: [null] } : undefined,
  };

  const classes: AnyNodeClass[] = [flat, add, pass, walk, dice, fail, file, save, print, short];
  return { registry: new Map(classes.map((node) => [node.name, node])), ran };
}
