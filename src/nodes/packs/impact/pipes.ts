/** ComfyUI-Impact-Pack (ltdrdata): pipes, switches, batches. */
import {
  boolean,
  defineControlNode,
  defineNode,
  evaluate,
  lazy,
  link,
  toPython,
  type Image,
} from '../../public.js';
import { fittedBatch } from './batches.js';
import { BASIC_PIPE, PARTS, PART_OUTPUTS, PIPE_OUTPUT } from './basic-pipe.js';

const pipes = { category: 'ImpactPack/Pipe', optional: {} };

export const toBasicPipe = defineNode({
  ...pipes,
  name: 'ToBasicPipe',
  displayName: 'ToBasicPipe',
  description: 'Puts a model, its encoders, its decoder and prompts into one value.',
  required: PARTS,
  outputs: [PIPE_OUTPUT],
  run: (parts) => ({ outputs: [parts] }),
});

export const fromBasicPipe = defineNode({
  ...pipes,
  name: 'FromBasicPipe',
  displayName: 'FromBasicPipe',
  description: 'Takes a pipe apart.',
  required: { basic_pipe: link(BASIC_PIPE) },
  outputs: PART_OUTPUTS,
  run: ({ basic_pipe: { model, clip, vae, positive, negative } }) => ({
    outputs: [model, clip, vae, positive, negative],
  }),
});

export const fromBasicPipeV2 = defineNode({
  ...pipes,
  name: 'FromBasicPipe_v2',
  displayName: 'FromBasicPipe_v2',
  description: 'Takes a pipe apart, and gives it on.',
  required: { basic_pipe: link(BASIC_PIPE) },
  outputs: [PIPE_OUTPUT, ...PART_OUTPUTS],
  run({ basic_pipe }) {
    const { model, clip, vae, positive, negative } = basic_pipe;
    return { outputs: [basic_pipe, model, clip, vae, positive, negative] };
  },
});

export const editBasicPipe = defineNode({
  ...pipes,
  name: 'EditBasicPipe',
  displayName: 'Edit BasicPipe',
  description: 'A pipe with other parts in the place of its own.',
  required: { basic_pipe: link(BASIC_PIPE) },
  optional: PARTS,
  outputs: [PIPE_OUTPUT],
  run: ({ basic_pipe, ...parts }) => ({ outputs: [{ ...basic_pipe, ...parts }] }),
});

export const makeImageBatch = defineNode({
  name: 'ImpactMakeImageBatch',
  displayName: 'Make Image Batch',
  category: 'ImpactPack/Util',
  description: 'Joins images; all get the size of the first.',
  required: { image1: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  takesMore: true,
  run({ image1, ...more }) {
    return { outputs: [fittedBatch([image1, ...Object.values<Image>(more)])] };
  },
});

export const impactMinMax = defineNode({
  name: 'ImpactMinMax',
  displayName: 'ImpactMinMax',
  category: 'ImpactPack/Logic/_for_test',
  description: 'The larger or the smaller of two numbers.',
  required: { mode: boolean({ default: true }), a: link('*'), b: link('*') },
  optional: {},
  outputs: [{ type: 'INT', name: 'INT' }],
  run({ mode, a, b }, { receivedTypes }) {
    const names = new Map([
      ['a', toPython(a, receivedTypes['a']) ?? null],
      ['b', toPython(b, receivedTypes['b']) ?? null],
    ]);
    // The first of equal ones, as Python has it.
    const second = evaluate(mode ? 'b > a' : 'b < a', { names, functions: {} }) === true;
    return { outputs: [Number(second ? b : a)] };
  },
});

export const conditionalBranch = defineControlNode({
  name: 'ImpactConditionalBranch',
  displayName: 'ImpactConditionalBranch',
  category: 'ImpactPack/Logic',
  description: 'Gives one of two values on; what the other depends on is not run.',
  required: { cond: boolean(), tt_value: lazy(link('*')), ff_value: lazy(link('*')) },
  optional: {},
  outputs: [{ type: '*', name: '*' }],
  checkLazy({ cond, tt_value, ff_value }) {
    if (cond) return tt_value === undefined ? ['tt_value'] : [];
    return ff_value === undefined ? ['ff_value'] : [];
  },
  run: ({ cond, tt_value, ff_value }) => ({ outputs: [cond ? tt_value : ff_value] }),
});
