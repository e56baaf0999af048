/** Values, branches, numbers and lists: what other nodes are put together with. */
export * from './primitives.js';
export * from './logic.js';
export * from './numbers.js';
export * from './lists.js';
export * from './preview.js';
