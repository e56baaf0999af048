/** Changes to how a model predicts. */
export * from './model-sampling.js';
export * from './flow-sampling.js';
export * from './skip-layers.js';
export * from './guidance.js';
export * from './guidance-patches.js';
export * from './unet-changes.js';
export * from './merging.js';
export * from './attention-multiply.js';
export * from './video-guidance.js';
export * from './step-caches.js';
export * from './save-model.js';
export * from './no-ops.js';
export * from './network-changes.js';
