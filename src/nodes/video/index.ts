/** Films, as ComfyUI and ComfyUI-VideoHelperSuite have them. */
export * from './load-video.js';
export * from './load-audio.js';
export * from './combine-video.js';
export * from './video-info.js';
export * from './film-batches.js';
export * from './latent-batches.js';
export * from './core/nodes.js';
