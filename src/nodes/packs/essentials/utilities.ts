/** What a value is, and sizes of latents (ComfyUI_essentials misc.py). */
import {
  batchOf,
  combo,
  defineNode,
  int,
  link,
  pythonStr,
  string,
  tensor,
  toPython,
  valueText,
  type Latent,
  type Tensor,
} from '../../public.js';

const described = { category: 'essentials/utilities', optional: {} };

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;
}

/** The shapes of the tensors in a value. */
function shapesIn(value: unknown): (readonly number[])[] {
  if (isTensor(value)) return [value.shape];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(shapesIn);
}

export const displayAny = defineNode({
  ...described,
  name: 'DisplayAny',
  displayName: '🔧 Display Any',
  description: 'Shows any value as text, or the shapes of what is in it.',
  required: { input: link('*'), mode: combo(['raw value', 'tensor shape']) },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  outputNode: true,
  run({ input, mode }, { receivedTypes }) {
    const shown = mode === 'tensor shape' ? shapesIn(input) : input;
    const data = toPython(shown, mode === 'tensor shape' ? undefined : receivedTypes['input']);
    const text = data === undefined ? valueText(shown, undefined, 0) : pythonStr(data);
    return { outputs: [text], ui: { text: [text] } };
  },
});

export const batchCount = defineNode({
  ...described,
  name: 'BatchCount+',
  displayName: '🔧 Batch Count',
  description: 'How many images, masks or latents there are.',
  required: { batch: link('*') },
  outputs: [{ type: 'INT', name: 'INT' }],
  run({ batch }) {
    if (isTensor(batch)) return { outputs: [batchOf(batch)] };
    if (typeof batch !== 'object' || batch === null) return { outputs: [0] };
    const { samples } = batch as { readonly samples?: unknown };
    return { outputs: [isTensor(samples) ? batchOf(samples) : Object.keys(batch).length] };
  },
});

export const removeLatentMask = defineNode({
  ...described,
  name: 'RemoveLatentMask+',
  displayName: '🔧 Remove Latent Mask',
  description: 'Latents without their noise mask.',
  required: { samples: link('LATENT') },
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples }) {
    const fields = Object.entries(samples).filter(([name]) => name !== 'noiseMask');
    return { outputs: [Object.fromEntries(fields) as unknown as Latent] };
  },
});

const RESOLUTIONS = [
  '704x1408 (0.5)',
  '704x1344 (0.52)',
  '768x1344 (0.57)',
  '768x1280 (0.6)',
  '832x1216 (0.68)',
  '832x1152 (0.72)',
  '896x1152 (0.78)',
  '896x1088 (0.82)',
  '960x1088 (0.88)',
  '960x1024 (0.94)',
  '1024x1024 (1.0)',
  '1024x960 (1.07)',
  '1088x960 (1.13)',
  '1088x896 (1.21)',
  '1152x896 (1.29)',
  '1152x832 (1.38)',
  '1216x832 (1.46)',
  '1280x768 (1.67)',
  '1344x768 (1.75)',
  '1344x704 (1.91)',
  '1408x704 (2.0)',
  '1472x704 (2.09)',
  '1536x640 (2.4)',
  '1600x640 (2.5)',
  '1664x576 (2.89)',
  '1728x576 (3.0)',
] as const;

const override = int({
  default: 0,
  min: 0,
  max: 16384,
  step: 8,
  tooltip: 'In place of the resolution’s; 0 for that.',
});

export const emptyLatentSizePicker = defineNode({
  ...described,
  name: 'SDXLEmptyLatentSizePicker+',
  displayName: '🔧 Empty Latent Size Picker',
  description: 'Empty latents of a size that SDXL was trained on.',
  required: {
    resolution: combo(RESOLUTIONS, { default: '1024x1024 (1.0)' }),
    batch_size: int({ default: 1, min: 1, max: 4096 }),
    width_override: override,
    height_override: override,
  },
  outputs: [
    { type: 'LATENT', name: 'LATENT' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
  ],
  run({ resolution, batch_size, width_override, height_override }) {
    const [ownWidth = 0, ownHeight = 0] = resolution.split(' ')[0]!.split('x').map(Number);
    const width = width_override > 0 ? width_override : ownWidth;
    const height = height_override > 0 ? height_override : ownHeight;
    const samples = tensor([batch_size, 4, Math.floor(height / 8), Math.floor(width / 8)]);
    return { outputs: [{ samples }, width, height] };
  },
});

export const consoleDebug = defineNode({
  name: 'ConsoleDebug+',
  displayName: '🔧 Console Debug',
  category: 'essentials/utilities',
  description: 'Shows a value behind a text.',
  required: { value: link('*') },
  optional: { prefix: string({ multiline: false, default: 'Value:' }) },
  outputs: [],
  outputNode: true,
  run: ({ value, prefix = 'Value:' }, { receivedTypes }) => ({
    outputs: [],
    ui: { text: [`${prefix} ${valueText(value, receivedTypes['value'], 0)}`] },
  }),
});
