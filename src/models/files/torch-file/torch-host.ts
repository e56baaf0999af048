/** The names that a torch checkpoint may use and what each builds; every other name is refused. */
import type { StoredDType } from '../../../native/dtypes.js';
import type { PickleHost } from './pickle.js';
import {
  GlobalName,
  Inert,
  PickleError,
  PickleTuple,
  TorchStorage,
  TorchTensor,
  type PickleValue,
} from './values.js';

/** torch/storage.py, _dtype_to_storage_type_map, without what no weights are. */
const storageDTypes: Readonly<Record<string, StoredDType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

const dtypes: Readonly<Record<string, StoredDType>> = {
  float64: 'F64',
  double: 'F64',
  float32: 'F32',
  float: 'F32',
  float16: 'F16',
  half: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
  int64: 'I64',
  long: 'I64',
  int32: 'I32',
  int: 'I32',
  int16: 'I16',
  short: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
};

const mostAxes = 16;

type Builder = (args: readonly PickleValue[]) => PickleValue;

const list: Builder = ([items]) => [...sequence(items ?? [])];

const orderedDict: Builder = ([pairs]) => {
  const dict = new Map<PickleValue, PickleValue>();
  for (const pair of sequence(pairs ?? [])) {
    const [key, value] = sequence(pair);
    if (key === undefined || value === undefined) throw new PickleError('an OrderedDict has an odd entry');
    dict.set(key, value);
  }
  return dict;
};

/** (storage, offset, size, stride, …): requires_grad and hooks are of no use. */
const tensorV2: Builder = ([storage, ...rest]) => {
  if (!(storage instanceof TorchStorage)) throw new PickleError('a tensor has no storage');
  if (storage.dtype === undefined) throw new PickleError('a tensor of bytes without a type');
  return tensorOf(storage, storage.dtype, rest);
};

/** (storage, offset, size, stride, requires_grad, hooks, dtype, …), for dtypes without a storage class of their own. */
const tensorV3: Builder = ([storage, ...rest]) => {
  const named = rest[5] instanceof GlobalName ? dtypes[rest[5].qualified.replace(/^torch\./, '')] : undefined;
  if (!(storage instanceof TorchStorage) || named === undefined) {
    throw new PickleError('a tensor has no storage or no dtype');
  }
  return tensorOf(storage, named, rest);
};

const parameter: Builder = ([data]) => {
  if (!(data instanceof TorchTensor)) throw new PickleError('a parameter has no tensor');
  return data;
};

/** (function, class, arguments, state): a tensor with attributes. */
const fromType: Builder = ([builder, , args]) => {
  const name = builder instanceof GlobalName ? builder.qualified : '';
  // Another of its own kind could go on without end.
  if (!name.startsWith('torch._utils.'))
    throw new PickleError('a tensor with attributes is made of no tensor');
  return build(builder ?? null, sequence(args ?? null));
};

const inert =
  (name: string): Builder =>
  () =>
    new Inert(name);

/** What may be called. Names that ComfyUI allows beside torch's own: comfy/utils.py, add_safe_globals. */
const builders: Readonly<Record<string, Builder>> = {
  'torch._utils._rebuild_tensor': tensorV2,
  'torch._utils._rebuild_tensor_v2': tensorV2,
  'torch._utils._rebuild_tensor_v3': tensorV3,
  'torch._utils._rebuild_parameter': parameter,
  'torch._utils._rebuild_parameter_with_state': parameter,
  'torch._tensor._rebuild_from_type_v2': fromType,
  'torch.nn.parameter.Parameter': parameter,
  'collections.OrderedDict': orderedDict,
  'typing.OrderedDict': orderedDict,
  'collections.defaultdict': () => new Map(),
  '__builtin__.set': list,
  'builtins.set': list,
  'torch.Size': (args) => new PickleTuple(sequence(args[0] ?? [])),
};

const inertNames: ReadonlySet<string> = new Set([
  'collections.Counter',
  ...['torch.device', 'torch.Tensor', 'torch.serialization._get_layout', 'torch.storage.UntypedStorage'],
  ...['numpy.dtype', 'numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar', '_codecs.encode'],
  ...[
    'builtins.int',
    'builtins.float',
    '__builtin__.int',
    '__builtin__.float',
    'builtins.list',
    'builtins.dict',
  ],
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
]);

function isInert(name: string): boolean {
  const dtype = name.startsWith('torch.') && Object.hasOwn(dtypes, name.slice('torch.'.length));
  return dtype || inertNames.has(name) || /^numpy\.dtypes\.[A-Za-z0-9]+DType$/.test(name);
}

/** Builds tensors' descriptions and nothing else. */
export const torchHost: PickleHost = {
  global(module, name) {
    const qualified = `${module}.${name}`;
    const storage = module === 'torch' && (Object.hasOwn(storageDTypes, name) || name === 'UntypedStorage');
    if (storage || Object.hasOwn(builders, qualified) || isInert(qualified)) return new GlobalName(qualified);
    throw new PickleError(
      `the global ${qualified.slice(0, 200)} is refused: only what builds tensors is read, nothing is run`,
    );
  },
  call: build,
  persistent: storageOf,
};

function build(callee: PickleValue, args: readonly PickleValue[]): PickleValue {
  if (!(callee instanceof GlobalName)) throw new PickleError('something is called that is no function');
  const { qualified } = callee;
  if (Object.hasOwn(builders, qualified)) return builders[qualified]!(args);
  if (isInert(qualified)) return inert(qualified)(args);
  throw new PickleError(`a call of ${qualified} is refused`);
}

/** ('storage', class, key, device, values), and in old files (view's key, its start, its values) or None. */
function storageOf(id: PickleValue): TorchStorage {
  const [kind, type, key, , length, view] = id instanceof PickleTuple ? id.items : [];
  if (kind !== 'storage' || !(type instanceof GlobalName)) {
    throw new PickleError('a persistent object is no storage');
  }
  const name = type.qualified.split('.').at(-1)!;
  const dtype = Object.hasOwn(storageDTypes, name) ? storageDTypes[name] : undefined;
  if (dtype === undefined && name !== 'UntypedStorage') {
    throw new PickleError(`a storage of ${type.qualified} is refused`);
  }
  if (typeof key !== 'string') throw new PickleError('a storage has no name');
  const values = count(length, 'a storage’s length');
  if (!(view instanceof PickleTuple)) return new TorchStorage(key, dtype, values, 0);
  const [, start, size] = view.items;
  return new TorchStorage(key, dtype, count(size, 'a view’s length'), count(start, 'a view’s start'));
}

function tensorOf(storage: TorchStorage, dtype: StoredDType, rest: readonly PickleValue[]): TorchTensor {
  const [offset, size, stride] = rest;
  const [axes, steps] = [sequence(size ?? null), sequence(stride ?? null)];
  if (axes.length !== steps.length || axes.length > mostAxes) {
    throw new PickleError(`a tensor of ${axes.length} axes has ${steps.length} strides`);
  }
  const shape = axes.map((item) => count(item, 'an extent'));
  const strides = steps.map((item) => count(item, 'a stride'));
  return new TorchTensor(storage, dtype, count(offset, 'an offset'), shape, strides);
}

function sequence(value: PickleValue): readonly PickleValue[] {
  if (value instanceof PickleTuple) return value.items;
  if (Array.isArray(value)) return value as readonly PickleValue[];
  throw new PickleError('something is no tuple that should be one');
}

function count(value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new PickleError(`${what} is ${typeof value === 'number' ? value : 'no whole number'}`);
}
