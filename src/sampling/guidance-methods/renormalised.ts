/** Plain guidance whose result is brought back to the positive prediction's length. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import type { GuidanceInput } from '../../models/denoiser/guidance.js';
import { guide } from '../guidance.js';
import { channelNorms, mapRows, placeOf, rowProducts } from './rows.js';

/**
 * At each place the guided noise gets the length of the positive prediction's, to the share `strength` (ComfyUI comfy_extras/nodes_cfg.py,
 * CFGNorm with `pre_cfg`).
 */
export function noiseOfPositiveLength(strength: number): (input: GuidanceInput) => Tensor {
  return ({ x, cond, uncond, cfg }) => {
    const positive = combineValues(x, cond, (a, b) => a - b);
    const guided = guide(
      positive,
      combineValues(x, uncond, (a, b) => a - b),
      cfg,
    );
    const [rows = 1, channels = 1] = x.shape;
    const area = x.data.length / rows / channels;
    const wanted = channelNorms(positive);
    const scales = channelNorms(guided).map((norm, place) =>
      norm > 0 ? wanted[place]! / Math.max(norm, 1e-12) : 1,
    );
    return mapRows(guided, (value, _, index) => {
      const scale = scales[placeOf(index, channels, area)]!;
      return x.data[index]! - (strength * value * scale + (1 - strength) * value);
    });
  };
}

/**
 * Guidance below a noise level alone, never longer than `most` times the positive prediction (ComfyUI comfy_extras/nodes_lumina2.py,
 * RenormCFG). A batch is measured row by row; ComfyUI takes one picture at a time.
 */
export function renormalised(below: number, most: number): (input: GuidanceInput) => Tensor {
  return ({ x, sigma, cond, uncond, cfg }) => {
    const isGuided = sigma < below;
    const guided = isGuided ? guide(cond, uncond, cfg) : cond;
    const lengths = rowProducts(guided, guided).map(Math.sqrt);
    const scales = rowProducts(cond, cond).map((square, row) => {
      const longest = Math.sqrt(square) * most;
      return isGuided && most > 0 && lengths[row]! >= longest ? longest / lengths[row]! : 1;
    });
    // ComfyUI hands the difference from x about.
    return tensor(
      x.shape,
      mapRows(guided, (value, row) => value * scales[row]!).data.map(
        (value, index) => x.data[index]! - Math.fround(x.data[index]! - value),
      ),
    );
  };
}
