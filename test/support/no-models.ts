import type { ModelStore } from '../../src/models/model-store.js';

/** A store without models: whatever is asked for is missing. New kinds of models need nothing here. */
export function noModels(): ModelStore {
  return new Proxy({} as ModelStore, {
    get: (_, kind) => () => {
      throw new Error(`there are no models here, and no ${String(kind)}`);
    },
  });
}
