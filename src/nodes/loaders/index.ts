/** Model files to models. */
export * from './loaders.js';
export * from './checkpoint-with-config.js';
export * from './lora.js';
export * from './controls.js';
export * from './image-encoders.js';
export * from './split.js';
export * from './unet-loader.js';
export * from './gguf.js';
