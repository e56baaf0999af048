import type { Tensor } from '../../compute/tensor.js';
import type { NetworkInputs } from '../denoiser/network-inputs.js';
import { ModelError } from '../model-error.js';

/** The text among a network's inputs. Throws `ModelError` for none, or one of another width. */
export function checkContext(family: string, width: number, { context }: NetworkInputs): Tensor {
  const given = context?.shape.at(-1) ?? 0;
  if (context !== undefined && given === width) return context;
  throw new ModelError(
    `this ${family} model takes text encodings of width ${width}, the conditioning has ${given}: encode the prompt with the text encoders that belong to it`,
  );
}
