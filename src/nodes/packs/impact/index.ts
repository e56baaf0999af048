/** ComfyUI-Impact-Pack (ltdrdata): pipes, switches, prompts with choices, samplers, detectors, detailers. */
export * from './detailer-nodes.js';
export * from './detailer-pipes.js';
export * from './detector-nodes.js';
export * from './detector-providers.js';
export * from './face-detailers.js';
export * from './pipes.js';
export * from './segs-nodes.js';
export { wildcardEncode, wildcardProcessor } from './prompt-nodes.js';
export { impactSwitch, previewBridge } from './bridge-nodes.js';
export * from './iterative-upscale.js';
export * from './sampler-nodes.js';
