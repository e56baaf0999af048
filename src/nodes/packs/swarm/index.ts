/** SwarmUI (mcmonkeyprojects): inputs of its forms, and pictures handed over. */
import {
  boolean,
  checkpointLoaderSimple,
  combo,
  defineNode,
  float,
  int,
  link,
  previewPrefix,
  saveImages,
  string,
  type CustomType,
  type InputSpecs,
  type OutputSpec,
} from '../../public.js';
import { valueNode } from '../pass-on.js';

const GROUP = 'GROUP' as CustomType<null>;
const LARGEST = 2 ** 64;

const priority = float({ default: 0, min: -1024, max: 1024, step: 0.5, round: 0.000_000_1 });
/** What every input has for its place in a form. */
const common = {
  description: string({ multiline: true }),
  order_priority: priority,
  is_advanced: boolean({ default: false }),
  raw_id: string(),
};
const title = (text: string) => string({ default: text });
const optional = { group: link(GROUP) };

const named = (name: string, description: string) => ({
  name,
  displayName: name,
  category: 'SwarmUI/inputs',
  description,
});

/** An input of a form: its value alone counts. */
const input = (name: string, description: string, required: InputSpecs, output: OutputSpec) => ({
  ...valueNode(named(name, description), 'value', required['value']!, output),
  required,
  optional,
});

const whole = (value: number) => int({ default: value, min: -LARGEST, max: LARGEST, step: 1 });
const number = (value: number) =>
  float({ default: value, min: -LARGEST, max: LARGEST, step: 0.01, round: 0.000_000_1 });

export const swarmInputGroup = defineNode({
  ...named('SwarmInputGroup', 'A group of inputs in a form.'),
  required: {
    title: title('My Group'),
    open_by_default: boolean({ default: true }),
    description: common.description,
    order_priority: priority,
    is_advanced: common.is_advanced,
    can_shrink: boolean({ default: true }),
  },
  optional: {},
  outputs: [{ type: GROUP, name: GROUP }],
  run: () => ({ outputs: [null] }),
});

export const swarmInputText = input(
  'SwarmInputText',
  'A text.',
  {
    title: title('My Text'),
    value: string({ multiline: true }),
    view_type: combo(['normal', 'prompt', 'big']),
    ...common,
  },
  { type: 'STRING', name: 'STRING' },
);

export const swarmInputInteger = input(
  'SwarmInputInteger',
  'A whole number.',
  {
    title: title('My Integer'),
    value: whole(0),
    step: whole(1),
    min: whole(0),
    max: whole(100),
    view_max: whole(100),
    view_type: combo(['big', 'small', 'seed', 'slider', 'pot_slider']),
    ...common,
  },
  { type: 'INT', name: 'INT' },
);

export const swarmInputFloat = input(
  'SwarmInputFloat',
  'A number.',
  {
    title: title('My Floating-Point Number'),
    value: number(0),
    step: number(0.1),
    min: number(0),
    max: number(100),
    view_max: number(100),
    view_type: combo(['big', 'small', 'slider', 'pot_slider']),
    ...common,
  },
  { type: 'FLOAT', name: 'FLOAT' },
);

export const swarmInputBoolean = input(
  'SwarmInputBoolean',
  'Yes or no.',
  { title: title('My Boolean'), value: boolean({ default: false }), ...common },
  { type: 'BOOLEAN', name: 'BOOLEAN' },
);

export const swarmInputCheckpoint = defineNode({
  ...named('SwarmInputCheckpoint', 'Loads a checkpoint, as CheckpointLoaderSimple does.'),
  required: {
    title: title('My Checkpoint Model Name Input'),
    value: checkpointLoaderSimple.required.ckpt_name,
    ...common,
  },
  optional,
  outputs: checkpointLoaderSimple.outputs,
  fingerprint: ({ value }, folders) => checkpointLoaderSimple.fingerprint!({ ckpt_name: value }, folders),
  run: ({ value }, context) => checkpointLoaderSimple.run({ ckpt_name: value }, context),
});

let runs = 0;

export const swarmSaveImageWs = defineNode({
  name: 'SwarmSaveImageWS',
  displayName: 'SwarmSaveImageWS',
  category: 'SwarmUI/images',
  description:
    'Hands images to whoever follows the job, as SaveImageWebsocket does: PNG of 8 bits, whatever is asked.',
  required: { images: link('IMAGE') },
  optional: { bit_depth: combo(['8bit', '16bit', 'raw'], { default: '8bit' }) },
  outputs: [],
  outputNode: true,
  fingerprint: () => String(runs++),
  async run({ images }, { folders, signal }) {
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 1 } as const;
    const files = await saveImages(images, saving, { folders, signal, metadata: {} });
    return { outputs: [], ui: { websocket_images: files } };
  },
});
