import type { Backend } from './backend.js';
import { UnsupportedOperation } from './cuda/unsupported.js';

/** Loads graphs on `first`, and on `second` what `first` has no kernels for; `notice` is told of each such graph once. */
export function withFallback(first: Backend, second: Backend, notice: (message: string) => void): Backend {
  const told = new Set<string>();
  return {
    ...first,
    async load(graph) {
      try {
        return await first.load(graph);
      } catch (error) {
        if (!(error instanceof UnsupportedOperation)) throw error;
        const message = `${graph.name} runs on the ${second.device}: ${error.message}`;
        if (!told.has(message)) notice(message);
        told.add(message);
        return await second.load(graph);
      }
    },
  };
}
