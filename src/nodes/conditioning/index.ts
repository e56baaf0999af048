/** Texts to conditionings, and conditionings to others. */
export * from './text-encoding.js';
export * from './conditioning.js';
export * from './area.js';
export * from './instruct-pix2pix.js';
export * from './controls.js';
export * from './pictures.js';
export * from './family-text.js';
export * from './edit-models.js';
export * from './qwen-image.js';
export * from './wan.js';
export * from './wan-control.js';
export * from './wan-camera.js';
export * from './properties.js';
export * from './hooks.js';
export * from './gligen.js';
