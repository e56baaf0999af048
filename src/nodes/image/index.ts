/** Pictures: loaded, saved, joined, cut, changed. */
export * from './load-image.js';
export * from './save-image.js';
export * from './basics.js';
export * from './rebatch.js';
export * from './resize.js';
export * from './stitch.js';
export * from './alpha.js';
export * from './composite-masked.js';
export * from './post-processing.js';
export * from './quantize.js';
export * from './upscale-model.js';
export * from './faces.js';
export * from './save-animated.js';
export * from './edges.js';
export * from './batches.js';
export * from './resize-any.js';
