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
import { combo } from '../definition.js';
import { definePreprocessor, DEPTHS, LINES, resolution } from './define.js';

const safe = combo(['enable', 'disable'], { default: 'enable' });

export const hedPreprocessor = definePreprocessor({
  name: 'HEDPreprocessor',
  displayName: 'HED Soft-Edge Lines',
  category: LINES,
  description: 'Soft edges.',
  inputs: { safe, resolution },
  hint: (source, values, context) =>
    hedHint(openAnnotator(context, 'hed', 'ControlNetHED.pth'), source, {
      resolution: values.resolution,
      safe: values.safe === 'enable',
      scribble: false,
    }),
});

export const fakeScribblePreprocessor = definePreprocessor({
  name: 'FakeScribblePreprocessor',
  displayName: 'Fake Scribble Lines (aka scribble_hed)',
  category: LINES,
  description: 'Broad strokes over soft edges.',
  inputs: { safe, resolution },
  hint: (source, values, context) =>
    hedHint(openAnnotator(context, 'hed', 'ControlNetHED.pth'), source, {
      resolution: values.resolution,
      safe: values.safe === 'enable',
      scribble: true,
    }),
});

export const pidiNetPreprocessor = definePreprocessor({
  name: 'PiDiNetPreprocessor',
  displayName: 'PiDiNet Soft-Edge Lines',
  category: LINES,
  description: 'Soft edges, by a small network.',
  inputs: { safe, resolution },
  hint: (source, values, context) =>
    pidinetHint(openAnnotator(context, 'pidinet', 'table5_pidinet.pth'), source, {
      resolution: values.resolution,
      safe: values.safe === 'enable',
      scribble: false,
    }),
});

export const scribblePiDiNet = definePreprocessor({
  name: 'Scribble_PiDiNet_Preprocessor',
  displayName: 'Scribble PiDiNet Lines',
  category: LINES,
  description: 'Broad strokes over soft edges, by a small network.',
  inputs: { safe: combo(['enable', 'disable']), resolution },
  async hint(source, values, context) {
    const edges = await pidinetHint(openAnnotator(context, 'pidinet', 'table5_pidinet.pth'), source, {
      resolution: values.resolution,
      safe: values.safe === 'enable',
      scribble: true,
    });
    // The reference thins the strokes once more.
    return scribbled(edges);
  },
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
