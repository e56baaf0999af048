/** ComfyUI-MultiGPU (pollockjj): loaders that name a device. Which device a job runs on is the engine's to say, so the name changes nothing. */
import {
  checkpointLoaderSimple,
  controlNetLoader,
  diffControlNetLoader,
  unetLoader,
  vaeLoader,
  widget,
  type AnyNodeClass,
} from '../../public.js';

/** A loader of ComfyUI's with a device beside its inputs. */
function onDevice(loader: AnyNodeClass): AnyNodeClass {
  return {
    ...loader,
    name: `${loader.name}MultiGPU`,
    displayName: `${loader.name}MultiGPU`,
    category: 'multigpu',
    description: `${loader.description} The device is the one that the job runs on.`,
    optional: { ...loader.optional, device: widget('COMBO', { tooltip: 'Changes nothing here.' }) },
  };
}

export const checkpointLoaderOnDevice = onDevice(checkpointLoaderSimple);
export const unetLoaderOnDevice = onDevice(unetLoader);
export const vaeLoaderOnDevice = onDevice(vaeLoader);
export const controlNetLoaderOnDevice = onDevice(controlNetLoader);
export const diffControlNetLoaderOnDevice = onDevice(diffControlNetLoader);
