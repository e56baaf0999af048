import { tensor, type Tensor } from '../../compute/tensor.js';
import type { EncodedText } from './encoded-text.js';
import type { EncodedSections } from './text-encoding.js';

/**
 * The encoders' channels side by side, cut to the shorter one's tokens, and the last one's pooled output (ComfyUI
 * SDXLClipModel.encode_token_weights).
 */
export function joinChannels(all: readonly (EncodedSections | undefined)[]): EncodedText {
  const encoded = all.filter((each) => each !== undefined);
  const cond = concatStates(encoded.map(({ hidden }) => hidden));
  const pooled = encoded.at(-1)?.pooled;
  return pooled === undefined ? { cond } : { cond, pooled };
}

/** Joins 1×T×C tensors along their channels, for as many tokens as the shortest has. */
export function concatStates(states: readonly Tensor[]): Tensor {
  const [only, ...others] = states;
  if (only !== undefined && others.length === 0) return only;
  const tokens = Math.min(...states.map(({ shape }) => shape[1]!));
  const widths = states.map(({ shape }) => shape[2]!);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const joined = new Float32Array(tokens * total);
  let offset = 0;
  states.forEach(({ data }, part) => {
    const width = widths[part]!;
    for (let token = 0; token < tokens; token++) {
      joined.set(data.subarray(token * width, (token + 1) * width), token * total + offset);
    }
    offset += width;
  });
  return tensor([1, tokens, total], joined);
}
