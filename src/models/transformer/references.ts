/** Reference pictures as further tokens behind those of the picture that is made. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { ReferenceMethod } from '../denoiser/conditioning.js';
import type { NetworkInputs } from '../denoiser/network-inputs.js';

/** In the order of their numbers, by which `reference_method` tells one. */
const METHODS: readonly ReferenceMethod[] = [
  'offset',
  'index',
  'index_timestep_zero',
  'uxo',
  'negative_index',
];

export function methodNumber(method: ReferenceMethod): Tensor {
  return tensor([1], Float32Array.of(METHODS.indexOf(method)));
}

export interface References {
  readonly latents: readonly Tensor[];
  readonly method: ReferenceMethod;
}

/** Those among a network's inputs, `references.0`, `references.1`, …; undefined where there are none. */
export function referencesOf(inputs: NetworkInputs, otherwise: ReferenceMethod): References | undefined {
  const latents: Tensor[] = [];
  for (;;) {
    const next = inputs[`references.${latents.length}`];
    if (next === undefined) break;
    latents.push(next);
  }
  if (latents.length === 0) return undefined;
  const told = inputs['reference_method']?.data[0];
  return { latents, method: told === undefined ? otherwise : METHODS[told]! };
}

/** Where a reference's first patch lies. */
export interface Place {
  readonly index: number;
  readonly row: number;
  readonly column: number;
}

export interface Placing {
  /** Patches' side in latent pixels. */
  readonly size: number;
  /** Between two references in layers of their own. */
  readonly indexStep: number;
  /** The picture's grid; `uxo` begins behind it. Methods that a family doesn't know are `offset` there. */
  readonly canvas?: { readonly rows: number; readonly columns: number };
  readonly negative?: boolean;
}

/** Places of all references (ComfyUI comfy/ldm/flux/model.py, Flux._forward, and comfy/ldm/qwen_image/model.py). */
export function placeReferences({ latents, method }: References, placing: Placing): Place[] {
  const { size, indexStep, canvas, negative = false } = placing;
  const patches = (pixels: number) => Math.floor((pixels + Math.floor(size / 2)) / size);
  let [height, width, index] = [0, 0, 0];
  return latents.map(({ shape }) => {
    const [ownHeight = 1, ownWidth = 1] = shape.slice(-2);
    if (method === 'index' || method === 'index_timestep_zero') {
      index += indexStep;
      return { index, row: 0, column: 0 };
    }
    if (method === 'negative_index' && negative) {
      index -= 1;
      return { index, row: 0, column: 0 };
    }
    if (method === 'uxo' && canvas !== undefined) {
      const place = {
        index: 0,
        row: patches(canvas.rows * size + height),
        column: patches(canvas.columns * size + width),
      };
      height += ownHeight;
      width += ownWidth;
      return place;
    }
    const isTall = ownHeight + height > ownWidth + width;
    const [y, x] = isTall ? [0, width] : [height, 0];
    height = Math.max(height, ownHeight + y);
    width = Math.max(width, ownWidth + x);
    return { index: 1, row: patches(y), column: patches(x) };
  });
}
