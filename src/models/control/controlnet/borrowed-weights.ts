/** ControlNets whose files hold a part of their weights alone, and take the rest from the model that they steer. */
import { elementCount } from '../../../compute/tensor.js';
import type { Weight } from '../../../compute/weight.js';
import { addProduct } from '../../../native/addon.js';
import { roundToHalf } from '../../weights/rounding.js';
import { matrixShape, readMatrix } from '../../lora/matrix.js';
import { ModelError } from '../../model-error.js';
import type { WeightPatch } from '../../weights/weight-patches.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { patched } from '../../weights/patched.js';

/** What marks a file of each kind. */
export const DIFFERENCE_MARK = 'difference';
export const LORA_MARK = 'lora_controlnet';

/**
 * Differences to the model's weights, by the keys that both have (ComfyUI comfy/controlnet.py, load_controlnet_state_dict). Sums are as
 * exact as what the file holds.
 */
export function onTopOf(model: WeightSource, difference: WeightSource): WeightSource {
  const weight = (key: string): Weight => {
    const own = difference.weight(key);
    if (!model.has(key)) return own;
    const base = model.weight(key);
    if (base.shape.join() !== own.shape.join()) {
      throw new ModelError(
        `${difference.path}: ${own.name} is a difference of [${own.shape.join(', ')}], the model's weight has the shape [${base.shape.join(', ')}]: it is made for another model`,
      );
    }
    const isHalf = own.stored?.dtype === 'F16';
    return {
      name: own.name,
      shape: own.shape,
      read(into) {
        const added = new Float32Array(into.length);
        own.read(into);
        base.read(added);
        if (isHalf) roundToHalf(added);
        for (let at = 0; at < into.length; at++) into[at]! += added[at]!;
        if (isHalf) roundToHalf(into);
      },
    };
  };
  return {
    path: difference.path,
    identity: `${difference.identity} on ${model.identity}`,
    keys: () => difference.keys(),
    has: (key) => difference.has(key),
    weight,
    rows(key, start, count) {
      const { shape } = difference.weight(key);
      const values = new Float32Array(elementCount(shape));
      weight(key).read(values);
      const length = elementCount(shape.slice(1));
      return values.slice(start * length, (start + count) * length);
    },
  };
}

/**
 * Stability's control LoRAs: the model's own weights with low-rank products added, and what a ControlNet has beside (ComfyUI
 * comfy/controlnet.py, ControlLora).
 */
export function controlLora(model: WeightSource, file: WeightSource): WeightSource {
  const patches = new Map<string, WeightPatch[]>();
  for (const key of file.keys()) {
    if (!key.endsWith('.up')) continue;
    const path = key.slice(0, -'.up'.length);
    patches.set(`${path}.weight`, [lowRank(file, path)]);
  }
  const source = (key: string): WeightSource => (file.has(key) ? file : model);
  const joined: WeightSource = {
    path: file.path,
    identity: `${file.identity} on ${model.identity}`,
    keys: () => new Set([...model.keys(), ...file.keys()]),
    has: (key) => file.has(key) || model.has(key),
    weight: (key) => source(key).weight(key),
    rows: (key, start, count) => source(key).rows(key, start, count),
  };
  return patched(joined, patches);
}

function lowRank(file: WeightSource, path: string): WeightPatch {
  const [up, down] = [file.weight(`${path}.up`), file.weight(`${path}.down`)];
  const [outer, inner] = [matrixShape(up), matrixShape(down)];
  const fault = (shape: readonly number[]) =>
    new ModelError(
      `${file.path}: ${path}.up and .down multiply to [${outer.rows}, ${inner.columns}], the model's weight has the shape [${shape.join(', ')}]: it is made for another model`,
    );
  return {
    identity: `${file.identity} ${path}`,
    product: { up, down, factor: 1 },
    apply(values, shape) {
      const fits = outer.columns === inner.rows && outer.rows === shape[0];
      if (!fits || outer.rows * inner.columns !== values.length) throw fault(shape);
      const [a, b] = [readMatrix(up), readMatrix(down)];
      addProduct(values, a.values, b.values, a.rows, a.columns, b.columns, 1);
    },
  };
}
