import type { Backend, NamedTensors } from '../../../../src/compute/backend.js';
import { lowerForInputs } from '../../../../src/compute/cuda/lower.js';
import type { HalfFormat } from '../../../../src/compute/lowering/cuda/program.js';
import { interpret } from './interpret.js';

/** Lowers each graph for the inputs that come, as the CUDA engine does, and runs it with plain loops. */
export function interpretingBackend(rounding: HalfFormat | 'none' = 'none'): Backend {
  return {
    device: 'cpu',
    load: (graph) =>
      Promise.resolve({
        residentBytes: 0,
        run: (inputs: NamedTensors) =>
          Promise.resolve(interpret(lowerForInputs(graph, inputs), inputs, rounding)),
        dispose: () => Promise.resolve(),
      }),
  };
}
