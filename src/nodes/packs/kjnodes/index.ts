/** ComfyUI-KJNodes (kijai): sizes, masks, constants. */
export * from './constants.js';
export * from './images.js';
export * from './concatenate.js';
export * from './resize.js';
export * from './masks.js';
export * from './accelerators.js';
