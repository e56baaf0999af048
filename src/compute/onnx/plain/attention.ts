import type { Lowering } from './context.js';

export const lowerAttention: Lowering<'attention'> = (operation, context) =>
  context.nodeIn(
    'com.microsoft',
    'MultiHeadAttention',
    [context.name(operation.query), context.name(operation.key), context.name(operation.value)],
    operation.causal ? { num_heads: operation.heads, unidirectional: 1 } : { num_heads: operation.heads },
  );
