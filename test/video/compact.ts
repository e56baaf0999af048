import type { Manifest } from '../support/synthetic.js';

/** The keys of a Real-ESRGAN Compact network (SRVGGNetCompact): convolutions with a PReLU each, then one to the pixels' shuffle. */
export function compactManifest(scale: number, features: number, convolutions: number): Manifest {
  const layers: [string, readonly ['F32', readonly number[]]][] = [];
  const add = (index: number, inputs: number, outputs: number): void => {
    layers.push(
      [`body.${index}.weight`, ['F32', [outputs, inputs, 3, 3]]],
      [`body.${index}.bias`, ['F32', [outputs]]],
    );
  };
  for (let layer = 0; layer <= convolutions; layer++) {
    add(layer * 2, layer === 0 ? 3 : features, features);
    layers.push([`body.${layer * 2 + 1}.weight`, ['F32', [features]]]);
  }
  add(convolutions * 2 + 2, features, 3 * scale ** 2);
  return Object.fromEntries(layers);
}
