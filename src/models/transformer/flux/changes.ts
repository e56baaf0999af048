import { changesOfKind, type ModelChange } from '../../denoiser/changes.js';
import { ModelError } from '../../model-error.js';

/** ComfyUI's blocks of Flux let a node change their attention. What isn't computed here is refused, since a picture without it would look sound. */
export function refuseGuidedAttention(family: string, changes: readonly ModelChange[]): void {
  if (changesOfKind(changes, 'guide-attention').length === 0) return;
  throw new ModelError(
    `NAGuidance of a ${family} model is not computed by latentd; it is of SD 1.x, 2.x and SDXL. Take the node out`,
  );
}
