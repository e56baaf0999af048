import { ConfigError } from '../config/config-error.js';
import { loadNodePacks, NodePackError } from '../engine/node-packs.js';
import type { AnyNodeClass } from '../nodes/definition.js';

/** The node classes of the packs that the settings name. Throws `ConfigError` for a pack that can't be used. */
export async function openNodePacks(packs: readonly string[]): Promise<readonly AnyNodeClass[]> {
  try {
    return await loadNodePacks(packs);
  } catch (error) {
    throw error instanceof NodePackError ? new ConfigError(error.message) : error;
  }
}
