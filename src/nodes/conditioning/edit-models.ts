/** What models of Flux's kind and models that edit pictures take beside a prompt (ComfyUI comfy_extras/nodes_flux.py, nodes_edit_model.py). */
import { upscaleImage } from '../../imaging/upscale.js';
import { combo, defineNode, float, link } from '../definition.js';

const conditioning = link('CONDITIONING', { tooltip: 'The conditioning to add to.' });
const outputs = [{ type: 'CONDITIONING', name: 'CONDITIONING' }] as const;
const category = 'model/conditioning/flux';

export const fluxGuidance = defineNode({
  name: 'FluxGuidance',
  displayName: 'FluxGuidance',
  category,
  description: 'Says how strongly a model that was distilled with guidance follows the prompt.',
  required: {
    conditioning,
    guidance: float({
      default: 3.5,
      min: 0,
      max: 100,
      step: 0.1,
      tooltip: 'Higher follows the prompt more closely.',
    }),
  },
  optional: {},
  outputs,
  run: ({ conditioning: entries, guidance }) => ({
    outputs: [entries.map((entry) => ({ ...entry, guidance }))],
  }),
});

export const fluxDisableGuidance = defineNode({
  name: 'FluxDisableGuidance',
  displayName: 'FluxDisableGuidance',
  category,
  description: 'Leaves out what tells a model of the Flux family how strongly to follow the prompt.',
  required: { conditioning },
  optional: {},
  outputs,
  run: ({ conditioning: entries }) => ({
    outputs: [entries.map((entry) => ({ ...entry, guidance: null }))],
  }),
});

export const referenceLatent = defineNode({
  name: 'ReferenceLatent',
  displayName: 'Set Reference Latent',
  category: 'model/conditioning',
  description:
    'Gives an editing model a picture to go by; several, one after the other, are several pictures.',
  required: { conditioning },
  optional: { latent: link('LATENT', { tooltip: 'The picture, encoded.' }) },
  outputs,
  run({ conditioning: entries, latent }) {
    if (latent === undefined) return { outputs: [entries] };
    return {
      outputs: [
        entries.map((entry) => ({
          ...entry,
          referenceLatents: [...(entry.referenceLatents ?? []), latent.samples],
        })),
      ],
    };
  },
});

const methods = {
  offset: 'offset',
  index: 'index',
  'uxo/uno': 'uxo',
  index_timestep_zero: 'index_timestep_zero',
} as const;

export const fluxKontextMultiReferenceLatentMethod = defineNode({
  name: 'FluxKontextMultiReferenceLatentMethod',
  displayName: 'Edit Model Reference Method',
  category,
  description: 'Says how an editing model places its reference pictures beside the one that it makes.',
  required: {
    conditioning,
    reference_latents_method: combo(['offset', 'index', 'uxo/uno', 'index_timestep_zero'], {
      tooltip:
        'Along the edges, each in a layer of its own, from the lower right corner on, or in layers without noise.',
    }),
  },
  optional: {},
  outputs,
  run: ({ conditioning: entries, reference_latents_method: method }) => ({
    outputs: [entries.map((entry) => ({ ...entry, referenceMethod: methods[method] }))],
  }),
});

/** Widths and heights that Flux Kontext was trained on. */
const KONTEXT_SIZES = [
  [672, 1568],
  [688, 1504],
  [720, 1456],
  [752, 1392],
  [800, 1328],
  [832, 1248],
  [880, 1184],
  [944, 1104],
  [1024, 1024],
  [1104, 944],
  [1184, 880],
  [1248, 832],
  [1328, 800],
  [1392, 752],
  [1456, 720],
  [1504, 688],
  [1568, 672],
] as const;

export const fluxKontextImageScale = defineNode({
  name: 'FluxKontextImageScale',
  displayName: 'FluxKontextImageScale',
  category,
  description: 'Scales a picture to the size nearest in shape to it that Flux Kontext was trained on.',
  required: { image: link('IMAGE', { tooltip: 'The picture to scale.' }) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image }) {
    const [, height = 1, width = 1] = image.shape;
    const distance = ([w, h]: readonly [number, number]) => Math.abs(width / height - w / h);
    // Of two that are as near, the narrower: Python compares the sizes next.
    const [toWidth, toHeight] = KONTEXT_SIZES.reduce((best, size) =>
      distance(size) < distance(best) ? size : best,
    );
    return {
      outputs: [upscaleImage(image, 'lanczos', { width: toWidth, height: toHeight, crop: 'center' })],
    };
  },
});
