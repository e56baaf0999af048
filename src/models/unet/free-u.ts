import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { FreeU } from '../denoiser/changes.js';
import type { UnetConfig } from './config.js';

/**
 * An output block's backbone and skip, scaled: half of the backbone's channels, and the skip's lowest frequencies (ComfyUI
 * comfy_extras/nodes_freelunch.py).
 */
export function freeUScaled(
  graph: GraphBuilder,
  changes: readonly FreeU[],
  { modelChannels }: UnetConfig,
  backbone: Value,
  skip: Value,
): readonly [backbone: Value, skip: Value] {
  const channels = Number(backbone.shape[1]);
  return changes.reduce<readonly [Value, Value]>(
    ([scaled, filtered], { version, deep, middle }) => {
      const byWidth = new Map([
        [modelChannels * 4, deep],
        [modelChannels * 2, middle],
      ]);
      const scales = byWidth.get(channels);
      if (scales === undefined) return [scaled, filtered];
      const map = version === 2 ? graph.meanMap(scaled) : undefined;
      return [
        graph.scaleChannels(scaled, Math.floor(channels / 2), scales.backbone, map),
        graph.scaleLowFrequencies(filtered, scales.skip),
      ];
    },
    [backbone, skip],
  );
}
