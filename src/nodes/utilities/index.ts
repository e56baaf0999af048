/** Values, branches and texts: what other nodes are put together with. */
export * from './primitives.js';
export * from './logic.js';
export * from './preview.js';
