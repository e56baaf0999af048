import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import { mergePatches, type MergeShares } from '../../models/weights/merge.js';
import type { RunContext } from '../context.js';

/** The first model with the second's weights mixed in; shapes that differ are left out with a warning. */
export function mergedModel(
  own: DiffusionModel,
  other: DiffusionModel,
  sharesOf: (key: string) => MergeShares,
  { warn }: Pick<RunContext, 'warn'>,
): DiffusionModel {
  const { patches, misfits } = mergePatches(own.weights, other.weights, sharesOf);
  if (misfits.length > 0) warn(misfitWarning(misfits));
  return own.withPatches(patches);
}

/** The share of the longest prefix that a key begins with, else the first. */
export function shareOf(key: string, shares: Readonly<Record<string, number>>): number {
  const prefixes = Object.keys(shares);
  const longest = prefixes
    .filter((prefix) => key.startsWith(prefix))
    .reduce<string | undefined>(
      (best, prefix) => (prefix.length > (best?.length ?? 0) ? prefix : best),
      undefined,
    );
  return shares[longest ?? prefixes[0]!]!;
}

export function misfitWarning(keys: readonly string[]): string {
  return `${keys.length} weights have other shapes in the second model and are not merged: ${keys.slice(0, 3).join(', ')}${keys.length > 3 ? ', …' : ''}`;
}
