/** Values shown and switched, a seed, two pictures beside each other (rgthree-comfy py/). */
import {
  defineControlNode,
  defineNode,
  int,
  link,
  saveImages,
  valueText,
  type Image,
  type RunContext,
} from '../../public.js';

const described = { category: 'rgthree', optional: {} };

export const displayAny = defineNode({
  ...described,
  name: 'Display Any (rgthree)',
  displayName: 'Display Any (rgthree)',
  description: 'Shows any value as text.',
  required: { source: link('*') },
  outputs: [],
  outputNode: true,
  run: ({ source }, { receivedTypes }) => ({
    outputs: [],
    ui: { text: [valueText(source, receivedTypes['source'], 0)] },
  }),
});

export const displayInt = defineNode({
  ...described,
  name: 'Display Int (rgthree)',
  displayName: 'Display Int (rgthree)',
  description: 'Shows a whole number.',
  required: { input: int({ min: -Infinity, max: Infinity, forceInput: true }) },
  outputs: [],
  outputNode: true,
  run: ({ input }) => ({ outputs: [], ui: { text: [String(input)] } }),
});

export const anySwitch = defineNode({
  ...described,
  name: 'Any Switch (rgthree)',
  displayName: 'Any Switch (rgthree)',
  description: 'Gives the first of its inputs any_01, any_02 … on that is something.',
  required: {},
  outputs: [{ type: '*', name: '*' }],
  takesMore: true,
  run(given) {
    const found = Object.entries(given).find(
      ([name, value]) => name.startsWith('any_') && value !== null && value !== undefined,
    );
    return { outputs: [found?.[1] ?? null] };
  },
});

const MOST = 1_125_899_906_842_624;
const RANDOM: readonly number[] = [-1, -2, -3];

export const seedRgthree = defineNode({
  ...described,
  name: 'Seed (rgthree)',
  displayName: 'Seed (rgthree)',
  description: 'A random seed for several nodes; −1, −2 and −3 draw one.',
  required: { seed: int({ default: 0, min: -MOST, max: MOST }) },
  outputs: [{ type: 'INT', name: 'SEED' }],
  fingerprint: ({ seed = 0 }) => (RANDOM.includes(seed) ? String(drawn()) : String(seed)),
  run: ({ seed }) => ({ outputs: [RANDOM.includes(seed) ? drawn() : seed] }),
});

function drawn(): number {
  return 1 + Math.floor(Math.random() * MOST);
}

export const imageComparer = defineControlNode({
  category: 'rgthree',
  name: 'Image Comparer (rgthree)',
  displayName: 'Image Comparer (rgthree)',
  description: 'Saves two batches of images into the temp folder, to look at one over the other.',
  required: {},
  optional: { image_a: link('IMAGE'), image_b: link('IMAGE') },
  // Declared by the pack, which gives nothing there.
  outputs: [{ type: 'IMAGE', name: 'images' }],
  outputNode: true,
  run: async ({ image_a, image_b }, context) => ({
    outputs: [null],
    ui: { a_images: await compared(image_a, context), b_images: await compared(image_b, context) },
  }),
});

async function compared(image: Image | undefined, context: RunContext) {
  if (image === undefined || image.shape[0] === 0) return [];
  return saveImages(image, { type: 'temp', prefix: 'rgthree.compare.', compressionLevel: 1 }, context);
}
