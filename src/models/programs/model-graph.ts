import { GraphError, type Graph } from '../../compute/graph.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** The graph that `build` makes of `weights`; shapes that don't fit each other are the file's fault: `ModelError`. */
export function graphOf(weights: WeightSource, build: () => Graph): Graph {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new ModelError(`${weights.path} is damaged or of an unknown layout: ${error.message}`, {
      cause: error,
    });
  }
}
