/** Which kind of work a node does, by what its class takes and gives. */
import type { AnyNodeClass } from '../nodes/definition.js';

export type NodeWork = 'loading' | 'encoding' | 'sampling' | 'decoding';

/** Undefined for work of no kind of its own: it is preparation before sampling, finishing after it. */
export function workOf(node: AnyNodeClass): NodeWork | undefined {
  const gives = (type: string) => node.outputs.some((output) => output.type === type);
  const takes = (type: string) =>
    Object.values(node.required).some((spec) => spec.kind === 'LINK' && spec.type === type);
  if ((takes('MODEL') || takes('GUIDER')) && gives('LATENT')) return 'sampling';
  if (node.category.includes('loaders')) return 'loading';
  if (gives('CONDITIONING')) return 'encoding';
  return takes('VAE') && gives('IMAGE') ? 'decoding' : undefined;
}
