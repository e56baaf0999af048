/** Sampling, and what it is made of: samplers, schedules, guiders, noise. */
export * from './k-sampler.js';
export * from './custom-sampling.js';
export * from './samplers.js';
export * from './schedulers.js';
export * from './flux2-scheduler.js';
export * from './searched-schedules.js';
export * from './sigmas.js';
export * from './guiders.js';
export * from './noise.js';
