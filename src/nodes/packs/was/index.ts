/** WAS Node Suite: texts, tokens, numbers, latents, images. */
export * from './texts.js';
export * from './tokens.js';
export * from './numbers.js';
export * from './sampling.js';
export * from './background.js';
export * from './images.js';
