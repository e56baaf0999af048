/** Hypernetworks of A1111's files (ComfyUI comfy_extras/nodes_hypernetwork.py, load_hypernetwork_patch). */
import type { Hypernetwork, HypernetworkActivation, HypernetworkLayer } from '../denoiser/hypernetwork.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

const ACTIVATIONS: readonly HypernetworkActivation[] = [
  'linear',
  'relu',
  'leakyrelu',
  'elu',
  'swish',
  'tanh',
  'sigmoid',
  'softsign',
  'mish',
];

/** How a file's networks compute. */
interface Settings {
  readonly activation: HypernetworkActivation;
  readonly hasNorms: boolean;
  readonly activatesOutput: boolean;
}

/** `metadata` are the file's texts and switches. Throws `ModelError` for a file that is none, or of another activation. */
export function createHypernetwork(
  weights: WeightSource,
  metadata: Readonly<Record<string, string>>,
): Hypernetwork {
  const settings = settingsOf(weights.path, metadata);
  const widths = new Set<number>();
  for (const key of weights.keys()) {
    const [, width] = /^(\d+)\.[01]\./.exec(key) ?? [];
    if (width !== undefined) widths.add(Number(width));
  }
  if (widths.size === 0) {
    throw new ModelError(
      `${weights.path} is no hypernetwork: those have networks of keys and values for each width of a model's features`,
    );
  }
  const identity = `hypernetwork ${weights.identity} ${JSON.stringify(settings)}`;
  return {
    identity,
    weights,
    networks: new Map(
      [...widths].map((width) => [
        width,
        [layersOf(weights, `${width}.0`, settings), layersOf(weights, `${width}.1`, settings)],
      ]),
    ),
    toJSON: () => identity,
  };
}

function settingsOf(path: string, metadata: Readonly<Record<string, string>>): Settings {
  const given = metadata['activation_func'] ?? 'linear';
  const activation = ACTIVATIONS.find((each) => each === given);
  if (activation === undefined) {
    throw new ModelError(
      `${path} is a hypernetwork with the activation ${given.slice(0, 40)}; ${ACTIVATIONS.join(', ')} are known`,
    );
  }
  return {
    activation,
    hasNorms: metadata['is_layer_norm'] === 'true',
    activatesOutput: metadata['activate_output'] === 'true',
  };
}

/** In the file's order: of two with norms, one is a linear layer and the other its norm. */
function layersOf(
  weights: WeightSource,
  network: string,
  { activation, hasNorms, activatesOutput }: Settings,
): HypernetworkLayer[] {
  const ending = '.weight';
  const paths = [...weights.keys()]
    .filter((key) => key.startsWith(`${network}.`) && key.endsWith(ending))
    .map((key) => key.slice(0, -ending.length));
  const layers: HypernetworkLayer[] = [];
  for (let index = 0; index < paths.length; index += hasNorms ? 2 : 1) {
    layers.push({ kind: 'linear', path: paths[index]! });
    const isLast = index === paths.length - 1;
    if (activation !== 'linear' && (!isLast || activatesOutput)) {
      layers.push({ kind: 'activation', function: activation });
    }
    const norm = hasNorms ? paths[index + 1] : undefined;
    if (norm !== undefined) layers.push({ kind: 'norm', path: norm });
  }
  return layers;
}
