/** Masks: drawn, made of pictures, changed. */
export * from './masks.js';
export * from './shapes.js';
