import { ConfigError } from '../config/config-error.js';
import type { AnyNodeClass } from '../nodes/definition.js';

/** The node classes of the packs that the settings name. Throws `ConfigError` for a pack that can't be used. */
export async function openNodePacks(packs: readonly string[]): Promise<readonly AnyNodeClass[]> {
  if (packs.length === 0) return [];
  // Loaded here: the daemon does without node classes where there are no packs.
  const { loadNodePacks, NodePackError } = await import('../engine/node-packs.js');
  try {
    return await loadNodePacks(packs);
  } catch (error) {
    throw error instanceof NodePackError ? new ConfigError(error.message) : error;
  }
}
