/** Pictures that a model sees beside its prompt: the classes of ComfyUI_IPAdapter_plus. */
export * from './loaders.js';
export * from './apply.js';
export * from './embeds.js';
export * from './prepare.js';
