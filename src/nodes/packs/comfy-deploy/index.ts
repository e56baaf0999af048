/** comfyui-deploy (BennyKok): inputs that an API fills in. */
export * from './values.js';
export * from './pictures.js';
