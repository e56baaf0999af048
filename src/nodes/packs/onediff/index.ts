/**
 * OneDiff (siliconflow): accelerators that promise the same picture. Models run here as they always do, so they are handed on as they came; int8 weights
 * are kept in full. DeepCache, which changes the picture, is not here.
 */
import {
  boolean,
  checkpointLoaderSimple,
  combo,
  controlNetLoader,
  defineControlNode,
  defineNode,
  link,
  string,
  type AnyNodeClass,
  type CustomType,
  type InputSpecs,
  type RunContext,
  type ValueTypeName,
} from '../../public.js';

/** How a model is to be made faster. There is nothing to say of it here. */
type Booster = Readonly<Record<string, never>>;
const CUSTOM_BOOSTER = 'CUSTOM_BOOSTER' as CustomType<Booster>;
const TORCH_COMPILE = 'TorchCompileBooster' as CustomType<Booster>;
const QUANTIZATION = 'QuantizationBooster' as CustomType<Booster>;
const DEEP_CACHE = 'DeepCacheBooster' as CustomType<never>;

const inplace = boolean({ default: true });
const customBooster = link(CUSTOM_BOOSTER);
const vaeSpeedup = combo(['disable', 'enable'], { tooltip: 'Changes nothing here.' });

/** A class that hands its first input on. */
function speedup(
  name: string,
  displayName: string,
  type: ValueTypeName,
  inputs: { readonly required: InputSpecs; readonly optional: InputSpecs },
): AnyNodeClass {
  const first = Object.keys(inputs.required)[0]!;
  return defineControlNode({
    name,
    displayName,
    category: 'OneDiff',
    description: 'What it is given, as it came: it runs here as fast as it can without it.',
    ...inputs,
    outputs: [{ type, name: type }],
    run: (given) => ({ outputs: [(given as Readonly<Record<string, unknown>>)[first]] }),
  });
}

export const modelSpeedup = speedup('ModelSpeedup', 'Model Speedup', 'MODEL', {
  required: { model: link('MODEL') },
  optional: { custom_booster: customBooster, inplace },
});

export const vaeSpeedupNode = speedup('VaeSpeedup', 'VAE Speedup', 'VAE', {
  required: { vae: link('VAE') },
  optional: { custom_booster: customBooster, inplace },
});

export const controlNetSpeedup = speedup('ControlnetSpeedup', 'ControlNet Speedup', 'CONTROL_NET', {
  required: { control_net: link('CONTROL_NET') },
  optional: { inplace, custom_booster: customBooster },
});

export const batchSizePatcher = {
  ...speedup('BatchSizePatcher', 'Batch Size Patcher', 'MODEL', {
    required: { model: link('MODEL'), latent_image: link('LATENT') },
    optional: {},
  }),
  category: 'OneDiff/Tools',
};

const booster = {
  category: 'OneDiff/Booster',
  description: 'How a model is to be made faster; changes nothing here.',
};
/** A note that an editor shows. */
const docsLink = (text: string) => string({ multiline: true, default: text });
/** Lists of Python's True, False and None. */
const flag = (first: 'False' | 'True', second: 'False' | 'True') => combo([first, second]);
const anyFlag = { inputs: ['fullgraph', 'dynamic', 'disable'], check: () => undefined };

export const modelBooster = defineNode({
  ...booster,
  name: 'OneDiffModelBooster',
  displayName: 'Apply Model Booster - OneDiff',
  required: {},
  optional: {
    quantization_booster: link(QUANTIZATION),
    deepcache_booster: link(DEEP_CACHE),
    torchcompile_booster: link(TORCH_COMPILE),
  },
  outputs: [{ type: CUSTOM_BOOSTER, name: CUSTOM_BOOSTER }],
  run: () => ({ outputs: [{}] }),
});

export const nexfortBooster = defineNode({
  ...booster,
  name: 'OneDiffNexfortBooster',
  displayName: 'Nexfort Booster - OneDiff',
  required: {
    fullgraph: flag('False', 'True'),
    dynamic: flag('True', 'False'),
    mode: combo([
      'max-optimize:max-autotune:low-precision',
      'max-optimize:max-autotune:low-precision:freezing:benchmark',
      'jit:disable-runtime-fusion:low-precision',
      'jit:benchmark:low-precision:freezing:cudagraphs',
      'max-autotune:benchmark:low-precision:cudagraphs',
      'max-optimize:max-autotune:benchmark:low-precision:freezing:cudagraphs',
    ]),
    docs_link: docsLink(
      '[Note]: \nInstall-nexfort \nhttps://github.com/siliconflow/onediff/tree/main/src/onediff/infer_compiler/backends/nexfort#install-nexfort',
    ),
  },
  optional: {},
  outputs: [{ type: TORCH_COMPILE, name: TORCH_COMPILE }],
  validate: anyFlag,
  run: () => ({ outputs: [{}] }),
});

export const torchCompileBooster = defineNode({
  ...booster,
  name: 'OneDiffTorchCompileBooster',
  displayName: 'Torch Compile Booster - OneDiff',
  required: {
    fullgraph: flag('False', 'True'),
    dynamic: combo(['None', 'True', 'False']),
    backend: combo(['inductor']),
    mode: combo(['default', 'reduce-overhead', 'max-autotune', 'max-autotune-no-cudagraphs']),
    disable: flag('False', 'True'),
    docs_link: docsLink('[docs]: https://pytorch.org/docs/stable/_modules/torch.html#compile'),
  },
  optional: {},
  outputs: [{ type: TORCH_COMPILE, name: TORCH_COMPILE }],
  validate: anyFlag,
  run: () => ({ outputs: [{}] }),
});

const loader = {
  category: 'OneDiff/Loaders',
  fingerprint: (given: { readonly ckpt_name: string }, folders: RunContext['folders']) =>
    checkpointLoaderSimple.fingerprint!(given, folders),
  outputs: checkpointLoaderSimple.outputs,
};

export const oneDiffCheckpointLoader = defineNode({
  ...loader,
  name: 'OneDiffCheckpointLoaderSimple',
  displayName: 'Load Checkpoint - OneDiff',
  description: 'Loads a checkpoint, as CheckpointLoaderSimple does.',
  required: { ckpt_name: checkpointLoaderSimple.required.ckpt_name, vae_speedup: vaeSpeedup },
  optional: { custom_booster: customBooster },
  run: ({ ckpt_name }, context) => checkpointLoaderSimple.run({ ckpt_name }, context),
});

export const oneDiffQuantCheckpointLoader = defineNode({
  ...loader,
  name: 'OneDiffQuantCheckpointLoaderSimple',
  displayName: 'Load Checkpoint - OneDiff Quant',
  description: 'Loads a checkpoint, as CheckpointLoaderSimple does: in full, where OneDiff computes in int8.',
  required: { ckpt_name: checkpointLoaderSimple.required.ckpt_name, vae_speedup: vaeSpeedup },
  optional: {},
  run: ({ ckpt_name }, context) => checkpointLoaderSimple.run({ ckpt_name }, context),
});

export const oneDiffControlNetLoader = defineNode({
  ...controlNetLoader,
  name: 'OneDiffControlNetLoader',
  displayName: 'Load ControlNet Model - OneDiff',
  category: 'OneDiff/Loaders',
  description: 'Loads a ControlNet, as ControlNetLoader does.',
  required: controlNetLoader.required,
  optional: { custom_booster: customBooster },
  run: ({ control_net_name }, context) => controlNetLoader.run({ control_net_name }, context),
});

export const modelGraphSaver = defineNode({
  name: 'ModelGraphSaver',
  displayName: 'Model Graph Saver',
  category: 'OneDiff',
  description: 'Writes nothing: models are not compiled into files here.',
  required: {
    samples: link('LATENT'),
    model: link('MODEL'),
    filename_prefix: string({ default: 'unet' }),
  },
  optional: {},
  outputs: [],
  outputNode: true,
  run: () => ({ outputs: [] }),
});
