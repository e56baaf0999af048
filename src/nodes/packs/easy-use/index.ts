/** ComfyUI-Easy-Use (yolain): values, prompts, loaders, pipes and samplers. */
export * from './values.js';
export * from './prompts.js';
export * from './loaders.js';
export * from './pipes.js';
export * from './sampling.js';
export * from './pictures.js';
