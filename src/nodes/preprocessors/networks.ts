/** Hints made by networks (comfyui_controlnet_aux node_wrappers). */
import { openAnnotator } from '../../models/annotators/annotator-files.js';
import {
  depthAnythingHint,
  hedHint,
  lineartAnimeHint,
  lineartHint,
  pidinetHint,
} from '../../models/annotators/hints.js';
import { scribbled } from '../../imaging/hints/thin-lines.js';
import type { BytePicture } from '../../imaging/bytes.js';
import type { RunContext } from '../context.js';
import { combo } from '../definition.js';
import { definePreprocessor, DEPTHS, LINES, resolution } from './define.js';

const safe = combo(['enable', 'disable'], { default: 'enable' });

const EDGES = {
  hed: { file: 'ControlNetHED.pth', hint: hedHint },
  pidinet: { file: 'table5_pidinet.pth', hint: pidinetHint },
} as const;

/** What makes the edges of a picture by a network, as they are or as strokes of a scribble. */
function edgesBy(network: keyof typeof EDGES, scribble: boolean) {
  const { file, hint } = EDGES[network];
  return (
    source: BytePicture,
    values: { readonly safe: string; readonly resolution: number },
    context: RunContext,
  ): Promise<BytePicture> =>
    hint(openAnnotator(context, network, file), source, {
      resolution: values.resolution,
      safe: values.safe === 'enable',
      scribble,
    });
}

export const hedPreprocessor = definePreprocessor({
  name: 'HEDPreprocessor',
  displayName: 'HED Soft-Edge Lines',
  category: LINES,
  description: 'Soft edges.',
  inputs: { safe, resolution },
  hint: edgesBy('hed', false),
});

export const fakeScribblePreprocessor = definePreprocessor({
  name: 'FakeScribblePreprocessor',
  displayName: 'Fake Scribble Lines (aka scribble_hed)',
  category: LINES,
  description: 'Broad strokes over soft edges.',
  inputs: { safe, resolution },
  hint: edgesBy('hed', true),
});

export const pidiNetPreprocessor = definePreprocessor({
  name: 'PiDiNetPreprocessor',
  displayName: 'PiDiNet Soft-Edge Lines',
  category: LINES,
  description: 'Soft edges, by a small network.',
  inputs: { safe, resolution },
  hint: edgesBy('pidinet', false),
});

export const scribblePiDiNet = definePreprocessor({
  name: 'Scribble_PiDiNet_Preprocessor',
  displayName: 'Scribble PiDiNet Lines',
  category: LINES,
  description: 'Broad strokes over soft edges, by a small network.',
  inputs: { safe: combo(['enable', 'disable']), resolution },
  // The reference thins the strokes once more.
  hint: async (source, values, context) => scribbled(await edgesBy('pidinet', true)(source, values, context)),
});

export const lineArtPreprocessor = definePreprocessor({
  name: 'LineArtPreprocessor',
  displayName: 'Realistic Lineart',
  category: LINES,
  description: 'White lines of a photograph; coarse ones by another model.',
  inputs: { coarse: combo(['disable', 'enable'], { default: 'disable' }), resolution },
  hint: (source, { coarse, resolution: side }, context) =>
    lineartHint(
      openAnnotator(context, 'lineart', coarse === 'enable' ? 'sk_model2.pth' : 'sk_model.pth'),
      source,
      side,
    ),
});

export const animeLineArtPreprocessor = definePreprocessor({
  name: 'AnimeLineArtPreprocessor',
  displayName: 'Anime Lineart',
  category: LINES,
  description: 'White lines of a drawing.',
  inputs: { resolution },
  hint: (source, { resolution: side }, context) =>
    lineartAnimeHint(openAnnotator(context, 'lineartAnime', 'netG.pth'), source, side),
});

export const depthAnythingV2Preprocessor = definePreprocessor({
  name: 'DepthAnythingV2Preprocessor',
  displayName: 'Depth Anything V2 - Relative',
  category: DEPTHS,
  description: 'How near things are: white is near.',
  inputs: {
    ckpt_name: combo(
      [
        'depth_anything_v2_vitg.pth',
        'depth_anything_v2_vitl.pth',
        'depth_anything_v2_vitb.pth',
        'depth_anything_v2_vits.pth',
      ],
      { default: 'depth_anything_v2_vitl.pth' },
    ),
    resolution,
  },
  hint: (source, { ckpt_name, resolution: side }, context) =>
    depthAnythingHint(openAnnotator(context, 'depthAnything', ckpt_name), source, side),
});
