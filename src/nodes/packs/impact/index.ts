/** ComfyUI-Impact-Pack (ltdrdata): pipes, switches, prompts with choices, samplers, detailers. */
export * from './pipes.js';
export { wildcardEncode, wildcardProcessor } from './prompt-nodes.js';
