/** rgthree-comfy: values shown and switched, seeds, LoRAs. */
export * from './values.js';
export * from './loras.js';
