import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import { whatItLooksLike } from '../files/what-it-looks-like.js';
import type { WeightSource } from '../weights/weight-source.js';
import { underPrefix } from '../weights/weight-views.js';
import { compact } from './compact.js';
import { esrgan } from './esrgan.js';
import { dat } from './dat.js';
import { hat } from './hat.js';
import { omniSr } from './omnisr.js';
import { plksr } from './plksr.js';
import { span } from './span.js';
import { swin2Sr } from './swin2sr.js';
import { swinIr } from './swinir.js';
import type { UpscaleFamily, UpscaleNetwork } from './network.js';

/** In the order in which they are asked; Compact's keys are the least telling. */
const families: readonly UpscaleFamily[] = [esrgan, span, plksr, dat, hat, swin2Sr, swinIr, omniSr, compact];

/** What a parallel training leaves before every key (spandrel __helpers/canonicalize.py). */
const prefixes = ['module.', 'netG.'];

/** Keys that give upscale models of other families away (spandrel __helpers/main_registry.py). */
const others: readonly (readonly [key: RegExp, name: string])[] = [
  [/^unet1\.conv1\.conv\.0\.weight$/, 'Real-CUGAN'],
  [/^layers\.0\.swin1\./, 'DRCT'],
  [/\.attn_atd\./, 'ATD'],
  [/^layers\.0\.blocks\.0\.gamma$/, 'RGT'],
  [/^norm_start\.weight$/, 'GRL'],
  [/^m_body\.0\.trans_block\./, 'SCUNet'],
  [/^gblocks\.0\.weight$/, 'MoSR'],
  [/^groups\.0\.blocks\./, 'FDAT'],
  [/^(?:sub|add)_mean\.weight$/, 'RCAN'],
  [/^body\.0\.local_block\./, 'SeemoRe'],
  [/^initial\.cnn\.depthwise\./, 'SwiftSRGAN'],
  [/^relative_position_index_h$/, 'CRAFT'],
  [/^UFONE\.0\./, 'DITN'],
];

/** What networks derive for themselves and files keep all the same, and what counting operations left in some. */
const derivedKey =
  /(?:^|\.)(?:attn_mask(?:_[01])?|relative_position_index(?:_SA|_OCA)?|relative_coords_table|rpe_biases|num_batches_tracked|no_norm|total_ops|total_params|eval_conv\.(?:weight|bias))$/;

/**
 * The network that a file holds. Throws `ModelError` when its keys are of no known family, when some are missing, and when there
 * are weights that the family's networks have no use for: without them it would be another network (torch's load_state_dict is
 * as strict).
 */
export function recogniseUpscaler(file: WeightSource): UpscaleNetwork {
  const weights = prefixes.reduce(
    (source, prefix) =>
      [...source.keys()].every((key) => key.startsWith(prefix)) ? underPrefix(source, prefix) : source,
    file,
  );
  const family = families.find(({ recognises }) => recognises(weights));
  if (family !== undefined) return readAll(family, weights);
  const known = families.map(({ name }) => name).join(', ');
  const keys = [...weights.keys()];
  const other = others.find(([pattern]) => keys.some((key) => pattern.test(key)))?.[1];
  throw new ModelError(
    `${file.path} is no upscale model that is known (${known}); it looks like ${other ?? whatItLooksLike(weights)}`,
  );
}

function readAll(family: UpscaleFamily, weights: WeightSource): UpscaleNetwork {
  const unread = new Set([...weights.keys()].filter((key) => !derivedKey.test(key)));
  const network = family.read({
    ...weights,
    weight(key) {
      unread.delete(key);
      return weights.weight(key);
    },
  });
  graphOf(weights, network.graph);
  const [first] = unread;
  if (first === undefined || network.ignoresOtherKeys === true) return network;
  const others = unread.size === 1 ? '' : ` and ${unread.size - 1} more`;
  throw new ModelError(
    `${weights.path} is a variant of ${family.name} that is not known: its networks have no ${first}${others}`,
  );
}
