/** ComfyUI_essentials (cubiq): what needs no model of its own, and backgrounds. */
export * from './resize.js';
export * from './batches.js';
export * from './images.js';
export * from './masks.js';
export * from './math.js';
export * from './utilities.js';
export * from './background.js';
