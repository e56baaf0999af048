/** Pictures that ControlNets are shown: the classes of comfyui_controlnet_aux. */
export * from './any.js';
export * from './arithmetic.js';
export * from './inpaint.js';
export * from './networks.js';
export * from './poses.js';
export * from './sizes.js';
