/** What classes that make hints of pictures have in common (comfyui_controlnet_aux utils.py, common_annotator_call). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { toPicture, type BytePicture } from '../../imaging/bytes.js';
import { threeChannels } from '../../imaging/hints/hint-size.js';
import type { RunContext } from '../context.js';
import { defineNode, int, link, type InputSpecs } from '../definition.js';
import type { Values } from '../input-values.js';

export const LINES = 'Line Extractors';
export const DEPTHS = 'Normal and Depth Estimators';
export const ADAPTERS_ONLY = 'T2IAdapter-only';

export const resolution = int({ default: 512, min: 64, max: 16384, step: 64 });

interface Described<Inputs extends InputSpecs> {
  readonly name: string;
  readonly displayName: string;
  /** Behind `ControlNet Preprocessors/`. */
  readonly category: string;
  readonly description: string;
  /** All optional; those left out take their defaults. */
  readonly inputs: Inputs;
}

export interface PreprocessorClass<Inputs extends InputSpecs> extends Described<Inputs> {
  /** The hint of one picture of three channels: of one channel or three, of the same size for all pictures of a batch. */
  hint(picture: BytePicture, values: Values<Inputs>, context: RunContext): BytePicture | Promise<BytePicture>;
}

/** A class that makes a hint of each picture. */
export function definePreprocessor<const Inputs extends InputSpecs>(node: PreprocessorClass<Inputs>) {
  const { name, displayName, category, description, inputs } = node;
  return defineNode({
    ...{ name, displayName, description },
    category: `ControlNet Preprocessors/${category}`,
    required: { image: link('IMAGE') },
    optional: inputs,
    outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
    async run({ image, ...given }: { readonly image: Tensor } & Partial<Values<Inputs>>, context) {
      const values = { ...defaultsOf(inputs), ...given } as Values<Inputs>;
      return { outputs: [await eachHint(image, context, (picture) => node.hint(picture, values, context))] };
    },
  });
}

/** The hints of a batch, one after the other. */
export async function eachHint(
  image: Tensor,
  { signal, progress }: RunContext,
  hint: (picture: BytePicture) => BytePicture | Promise<BytePicture>,
): Promise<Tensor> {
  const [count = 0] = image.shape;
  let hints: Tensor | undefined;
  for (let row = 0; row < count; row++) {
    signal.throwIfAborted();
    const { width, height, data } = threeChannels(await hint(threeChannels(toPicture(image, row))));
    hints ??= tensor([count, height, width, 3]);
    const start = row * data.length;
    data.forEach((value, at) => (hints!.data[start + at] = value / 255));
    progress({ step: row + 1, totalSteps: count });
  }
  if (hints === undefined) throw new RangeError('the batch has no pictures');
  return hints;
}

function defaultsOf(inputs: InputSpecs): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, spec]) => {
      if ('default' in spec) return [[name, spec.default]];
      return spec.kind === 'COMBO' && Array.isArray(spec.options) ? [[name, spec.options[0]]] : [];
    }),
  );
}
