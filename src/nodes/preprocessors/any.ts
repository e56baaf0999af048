/** One class for all preprocessors (comfyui_controlnet_aux __init__.py). */
import type { Tensor } from '../../compute/tensor.js';
import type { RunContext } from '../context.js';
import { combo, defineNode, link } from '../definition.js';
import * as arithmetic from './arithmetic.js';
import { resolution } from './define.js';
import * as networks from './networks.js';
import { dwPreprocessor } from './poses.js';

type Hint = { readonly outputs: readonly [Tensor, ...unknown[]] };

/** A class whose inputs beside the picture have defaults. */
interface OfPictureAlone {
  readonly name: string;
  run(
    inputs: { readonly image: Tensor; readonly resolution?: number },
    context: RunContext,
  ): Hint | Promise<Hint>;
}

const preprocessors: ReadonlyMap<string, OfPictureAlone> = new Map(
  Object.values({ ...arithmetic, ...networks, dwPreprocessor }).map((node) => [node.name, node]),
);

const names = ['none', ...preprocessors.keys()];

export const aioPreprocessor = defineNode({
  name: 'AIO_Preprocessor',
  displayName: 'AIO Aux Preprocessor',
  category: 'ControlNet Preprocessors',
  description: 'A preprocessor by its name, with its defaults; `none` passes the picture on.',
  required: { image: link('IMAGE') },
  optional: { preprocessor: combo(names, { default: 'none' }), resolution },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ image, preprocessor = 'none', resolution: side = 512 }, context) {
    const chosen = preprocessors.get(preprocessor);
    if (chosen === undefined) return { outputs: [image] };
    const { outputs } = await chosen.run({ image, resolution: side }, context);
    return { outputs: [outputs[0]] };
  },
});

export const controlNetPreprocessorSelector = defineNode({
  name: 'ControlNetPreprocessorSelector',
  displayName: 'Preprocessor Selector',
  category: 'ControlNet Preprocessors',
  description: "A preprocessor's name.",
  required: { preprocessor: combo(names) },
  optional: {},
  outputs: [{ type: 'COMBO', name: 'preprocessor' }],
  run: ({ preprocessor }) => ({ outputs: [preprocessor] }),
});
