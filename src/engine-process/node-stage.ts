/** Which of the protocol's stages a node's work belongs to, by what its class takes and gives. */
import type { AnyNodeClass } from '../nodes/definition.js';
import type { Stage } from '../wire/protocol.js';

/** Undefined for work that belongs to no stage of its own: it is preparation before sampling, finishing after it. */
export function stageOfNode(node: AnyNodeClass): Stage | undefined {
  const gives = (type: string) => node.outputs.some((output) => output.type === type);
  if (node.category.startsWith('sampling') && gives('LATENT')) return 'sampling';
  if (node.category.includes('loaders')) return 'loading_models';
  if (gives('CONDITIONING')) return 'encoding';
  const takesVae = Object.values(node.required).some((spec) => spec.kind === 'LINK' && spec.type === 'VAE');
  return takesVae && gives('IMAGE') ? 'decoding' : undefined;
}
