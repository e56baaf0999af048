import type { Settings } from '../config/settings.js';
import type { StoreSettings } from '../store/open-store.js';

/** Where outputs are kept beside the output folder, and how buckets are reached. */
export function storeSettings({ store, s3Endpoint, s3Region, s3PathStyle }: Settings): StoreSettings {
  return {
    ...(store !== undefined && { store }),
    s3: {
      ...(s3Endpoint !== undefined && { endpoint: s3Endpoint }),
      ...(s3Region !== undefined && { region: s3Region }),
      ...(s3PathStyle && { pathStyle: true }),
    },
  };
}
