/** Real-ESRGAN's compact model, SRVGGNetCompact: plain convolutions, a pixel shuffle, and the picture itself on top. */
import { ModelError } from '../model-error.js';
import { hasAll, pictureGraph, sequenceLength, shuffledScale, type UpscaleFamily } from './network.js';

export const compact: UpscaleFamily = {
  name: 'Compact',
  recognises: (weights) => hasAll(weights, 'body.0.weight', 'body.1.weight'),
  read(weights) {
    const layers = sequenceLength(weights, 'body');
    const inputChannels = weights.weight('body.0.weight').shape[1]!;
    const last = weights.weight(`body.${layers - 1}.weight`).shape[0]!;
    const found = shuffledScale(last, inputChannels);
    if (found === undefined) {
      throw new ModelError(
        `${weights.path}: ${last} channels are no picture of 1, 3 or 4 channels, enlarged`,
      );
    }
    const { scale, outputChannels } = found;
    if (outputChannels !== inputChannels && inputChannels !== 1) {
      throw new ModelError(
        `${weights.path} makes ${outputChannels} channels of ${inputChannels}; the picture itself, which is added, has another number`,
      );
    }
    return {
      architecture: 'Compact',
      scale,
      inputChannels,
      outputChannels,
      minimumSide: 0,
      multipleOf: 1,
      graph: () =>
        pictureGraph('compact', inputChannels, weights, (nn, x) => {
          const { graph } = nn;
          let features = x;
          for (let layer = 0; layer < layers; layer += 2) {
            features = nn.conv2d(features, `body.${layer}`, { padding: 1 });
            if (layer + 1 < layers)
              features = graph.prelu(features, weights.weight(`body.${layer + 1}.weight`));
          }
          // A grey picture is the base of each colour.
          const [detail, base] = [graph.pixelShuffle(features, scale), graph.upsampleNearest(x, scale)];
          return outputChannels === inputChannels
            ? graph.add(detail, base)
            : graph.addBroadcast(detail, base);
        }),
    };
  },
};
