/** What AUTOMATIC1111's API asks for that ComfyUI has no node for. */
export * from './img2img.js';
