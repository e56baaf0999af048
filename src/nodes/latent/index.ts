/** Latents: made, decoded, saved, joined, cut, changed. */
export * from './vae.js';
export * from './inpainting.js';
export * from './files.js';
export * from './batch.js';
export * from './empty.js';
export * from './flux2.js';
export * from './rebatch.js';
export * from './resize.js';
export * from './transform.js';
export * from './blend.js';
export * from './composite.js';
export * from './cut.js';
export * from './empty.js';
export * from './operations.js';
