/** Where, when and how much ControlNets count: the classes of ComfyUI-Advanced-ControlNet for pictures. */
export * from './apply.js';
export * from './keyframes.js';
export * from './loaders.js';
