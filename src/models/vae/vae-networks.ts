import type { Graph } from '../../compute/graph.js';
import type { Tensor } from '../../compute/tensor.js';

/** The two networks of an autoencoder, as graphs: pixels are N×3×H×W in [−1, 1]. */
export interface VaeNetworks {
  /** Pixels per latent pixel along each axis. */
  readonly downscale: number;
  readonly latentChannels: number;
  /** `latent` to `pixels`. */
  readonly decoder: VaeNetwork;
  /** `pixels` to `latent`. */
  readonly encoder: VaeNetwork;
}

export interface VaeNetwork {
  readonly build: () => Graph;
  /** Bytes that an input of `height`×`width` takes, at most, beside the weights. */
  readonly runBytes: (height: number, width: number) => number;
  /** What the graph takes of its input and gives as its output, where those have a range of their own. */
  readonly before?: (input: Tensor) => Tensor;
  readonly after?: (output: Tensor) => Tensor;
}
