/** Sound: loaded, saved, cut, joined, changed. */
export * from './load.js';
export * from './operations.js';
export * from './save.js';
