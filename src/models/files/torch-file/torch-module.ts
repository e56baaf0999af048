/**
 * Files that hold a whole network as torch.save wrote it, classes and all (ultralytics' `.pt`): which layers it has, what is set on
 * them, and where their weights lie. Classes are known by their names alone; nothing of theirs is run.
 */
import type { MappedFile } from '../../../native/addon.js';
import type { SafetensorsFile } from '../safetensors.js';
import { openMapped } from '../safetensors.js';
import type { PickleHost } from './pickle.js';
import { looksLikeTorch, openContainer, placedTensors, readable, torchSignatureBytes } from './torch-file.js';
import { torchHost } from './torch-host.js';
import {
  DescribedObject,
  GlobalName,
  Inert,
  PickleError,
  TorchTensor,
  type PickleDict,
  type PickleValue,
} from './values.js';

/** A layer, or a network of layers. */
export interface TorchModule {
  /** The name of its class, without its package: `C2f`. */
  readonly kind: string;
  /** What was set on it, numbers, texts and the like, by name. */
  readonly attributes: PickleDict;
  readonly children: ReadonlyMap<string, TorchModule>;
}

export interface TorchModuleFile {
  readonly weights: SafetensorsFile;
  readonly network: TorchModule;
  /** What lies beside the network in the file, by name. */
  readonly beside: PickleDict;
}

/** Packages whose classes are described, not run. `models` is what old YOLO files call theirs. */
const DESCRIBED = /^(ultralytics|torch\.nn\.modules|models)\.[\w.]+$/;

/** What such files hold beside layers: paths, settings, results of training. */
const BESIDE: ReadonlySet<string> = new Set([
  ...['pathlib.PosixPath', 'pathlib.WindowsPath', 'pathlib._local.PosixPath', 'pathlib._local.WindowsPath'],
  ...['builtins.getattr', '__builtin__.getattr', 'dill._dill._load_type', 'types.SimpleNamespace'],
  ...['numpy.core.multiarray._reconstruct', 'numpy._core.multiarray._reconstruct', 'numpy.ndarray'],
]);

const DEEPEST = 32;
const MOST_LAYERS = 20_000;

/** torch's own host, which also lets classes of layers stand for themselves. */
const moduleHost: PickleHost = {
  ...torchHost,
  global(module, name) {
    const qualified = `${module}.${name}`;
    if (DESCRIBED.test(qualified) || BESIDE.has(qualified)) return new GlobalName(qualified);
    return torchHost.global(module, name);
  },
  call(callee, args) {
    if (callee instanceof GlobalName) {
      if (BESIDE.has(callee.qualified)) return new Inert(callee.qualified);
      if (DESCRIBED.test(callee.qualified)) return new DescribedObject(callee.qualified);
    }
    // An attribute of a class (`Detect.forward`), or a type by its name.
    if (callee instanceof Inert) return new Inert(callee.of);
    return torchHost.call(callee, args);
  },
};

/**
 * The network of a file, in `ema` or `model` or as all that there is; weights are named by their layers' paths. Throws `ModelError`
 * naming the file and what is wrong with it.
 */
export function openTorchModule(path: string): TorchModuleFile {
  let found: Omit<TorchModuleFile, 'weights'> | undefined;
  const weights = openMapped(path, (file) => {
    const { network, beside, tensors } = readable(path, () => readModule(file));
    found = { network, beside };
    return { metadata: {}, tensors };
  });
  return { weights, ...found! };
}

function readModule(file: MappedFile) {
  if (!looksLikeTorch(file.read(0, Math.min(file.size, torchSignatureBytes)))) {
    throw new PickleError('torch.save wrote it in no way that is known');
  }
  const container = openContainer(file, moduleHost);
  const { root } = container;
  const beside = root instanceof Map ? root : new Map<PickleValue, PickleValue>();
  const whole = [beside.get('ema'), beside.get('model'), root].find(
    (value) => value instanceof DescribedObject,
  );
  if (whole === undefined) throw new PickleError('it holds weights, but not the layers that they belong to');
  const named = new Map<string, TorchTensor>();
  const network = moduleOf(whole, '', named, { depth: 0, count: { layers: 0 } });
  return { network, beside, tensors: placedTensors(named, container, file.size) };
}

interface Place {
  readonly depth: number;
  readonly count: { layers: number };
}

/** torch.nn.Module.__setstate__: `_modules`, `_parameters` and `_buffers` beside everything else. */
function moduleOf(
  object: DescribedObject,
  prefix: string,
  tensors: Map<string, TorchTensor>,
  { depth, count }: Place,
): TorchModule {
  count.layers++;
  if (depth > DEEPEST || count.layers > MOST_LAYERS) throw new PickleError('its layers nest without end');
  const attributes = object.state instanceof Map ? object.state : new Map<PickleValue, PickleValue>();
  for (const kind of ['_parameters', '_buffers']) {
    for (const [name, value] of entriesOf(attributes.get(kind))) {
      if (value instanceof TorchTensor) tensors.set(prefix + name, value);
    }
  }
  // Plain tensors that were set on it, as a head's strides are.
  for (const [name, value] of entriesOf(attributes)) {
    if (value instanceof TorchTensor) tensors.set(prefix + name, value);
  }
  const children = new Map<string, TorchModule>();
  for (const [name, child] of entriesOf(attributes.get('_modules'))) {
    if (!(child instanceof DescribedObject)) continue;
    children.set(name, moduleOf(child, `${prefix}${name}.`, tensors, { depth: depth + 1, count }));
  }
  return { kind: object.qualified.split('.').at(-1)!, attributes, children };
}

function entriesOf(value: PickleValue | undefined): (readonly [string, PickleValue])[] {
  if (!(value instanceof Map)) return [];
  return [...value].flatMap(([name, held]) => (typeof name === 'string' ? [[name, held] as const] : []));
}
