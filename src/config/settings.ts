/**
 * What can be set about a run of latentd: a row a setting. From this table come flags and their help, `LATENTD_*` variables, the
 * schema of `latentd.config.json`, `latentd doctor` and the tables of docs/configuration.md.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buckets,
  bytes,
  count,
  deviceList,
  duration,
  endpoint,
  file,
  files,
  folder,
  httpAddress,
  modelNames,
  name,
  oneOf,
  packages,
  store,
  redisAddress,
  toggle,
  webAddress,
  webAddresses,
  webOrigin,
  type Kind,
} from './kinds.js';

/** The templates that come with the package; two folders below its root from both src/config and dist/config. */
export const SHIPPED_GRAPHS = fileURLToPath(new URL('../../graphs', import.meta.url));

export const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu'] as const;
export const PRECISIONS = ['fp32', 'bf16'] as const;
export const NOISE_KINDS = ['cpu', 'cpu-0.3.64', 'gpu'] as const;
export const PREVIEW_METHODS = ['latent2rgb', 'taesd', 'none'] as const;
export const QUEUE_ORDERS = ['turns', 'arrival'] as const;
export const REDIS_PROTOCOLS = ['myspinbot', 'emp-job-queue'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Whom a setting concerns: whatever runs workflows, `latentd pull`, the daemon and its clients, or the daemon alone. */
export type Audience = 'engine' | 'pull' | 'client' | 'daemon';

/** What a default may depend on. */
export interface DefaultPlace {
  readonly cwd: string;
  /** The models folder that was settled on. */
  readonly models: string;
}

/** `Value` may include `undefined`: nothing is set then, and whoever uses the setting decides. */
export interface SettingRow<Value> {
  readonly audience: Audience;
  readonly kind: Kind<NonNullable<Value>>;
  readonly help: string;
  /** The default in words. */
  readonly unset: string;
  readonly byDefault: (place: DefaultPlace) => Value;
}

type Optional<Value> = Value | undefined;

const rows = {
  models: folderRow('models', "models, in ComfyUI's folder layout"),
  input: folderRow('input', 'where workflows find images'),
  output: folderRow('output', 'where results go'),
  temp: folderRow('temp', 'where previews go'),
  store: open('engine', store, 'where outputs are kept, too: s3://BUCKET/PREFIX, or a folder', 'nowhere'),
  inputBucket: row<readonly string[]>(
    'engine',
    buckets,
    'a bucket that workflows may read inputs from, as s3://BUCKET/KEY',
    'none',
    () => [],
  ),
  s3Endpoint: open('engine', webAddress, 'where buckets are: of MinIO, R2 and others', "AWS's own"),
  s3Region: open('engine', name, 'the region of buckets', '$AWS_REGION, or what the profile says'),
  s3PathStyle: fixed('engine', toggle, 'buckets are folders of the endpoint, as MinIO has them', false),
  graphs: row('engine', folder, 'workflow templates', './graphs, else those of the package', ({ cwd }) => {
    const own = resolve(cwd, 'graphs');
    return existsSync(own) ? own : SHIPPED_GRAPHS;
  }),
  extraModelPaths: row(
    'engine',
    files,
    'extra_model_paths.yaml as ComfyUI has it, in the order in which they count',
    'the one beside the models folder, and in the working folder',
    findExtraModelPaths,
  ),
  nodePack: row<readonly string[]>(
    'engine',
    packages,
    "packages of node classes beside latentd's own, by name or path",
    'none',
    () => [],
  ),
  device: fixed(
    'engine',
    deviceList(DEVICES, ['auto', 'webgpu']),
    `what computes: ${DEVICES.join(', ')}; the daemon takes several, as cuda:0,cuda:1,cpu`,
    'auto',
  ),
  threads: open(
    'engine',
    count({ max: 1024 }),
    'threads of an operator',
    "the processor's cores, shared by the engines on it",
  ),
  memoryLimit: open('engine', bytes, 'weights kept in memory, as 6GB', 'what is free'),
  precision: fixed(
    'engine',
    oneOf('PRECISION', PRECISIONS),
    `arithmetic of denoisers, ${PRECISIONS.join(' or ')}; bf16 needs AVX512-BF16`,
    'fp32',
  ),
  noise: fixed(
    'engine',
    oneOf('SOURCE', NOISE_KINDS),
    'whose noise samplers add, as ComfyUI draws it: on a cpu, there until 0.3.64 (2025), or on a gpu',
    'cpu',
  ),
  gpuThreads: open(
    'engine',
    count({ min: 256, max: 2 ** 24 }),
    'threads that this GPU holds, for --noise gpu and large latents',
    "an RTX 4090's, 196608",
  ),
  allowUrls: fixed(
    'engine',
    toggle,
    'whether workflows may have pictures fetched by their addresses, from public hosts alone',
    false,
  ),
  hfEndpoint: row(
    'pull',
    webAddress,
    'Hugging Face, or a mirror of it',
    '$HF_ENDPOINT, else https://huggingface.co',
    () => process.env['HF_ENDPOINT'] ?? 'https://huggingface.co',
  ),
  civitaiEndpoint: row(
    'pull',
    webAddress,
    'civitai, or a mirror of it',
    'https://civitai.com',
    () => 'https://civitai.com',
  ),
  connections: fixed('pull', count({ max: 32 }), 'parts of a file that are fetched at once', 4),
  reqAddr: fixed('client', endpoint, "the daemon's requests", 'tcp://127.0.0.1:5555'),
  pubAddr: fixed('client', endpoint, "the daemon's updates", 'tcp://127.0.0.1:5556'),
  curveKeys: open('client', file, 'keys that encrypt both, as `latentd keys` makes them', 'none'),
  data: row('daemon', folder, 'where the queue is kept', './latentd-data', ({ cwd }) =>
    resolve(cwd, 'latentd-data'),
  ),
  http: open('daemon', httpAddress, 'HTTP, for clients of ComfyUI and others; 8188 is usual', 'none'),
  httpTokens: open(
    'daemon',
    file,
    'tokens that HTTP clients show, one a line',
    'none: all who reach it may ask',
  ),
  tlsCert: open('daemon', file, 'certificate for HTTPS, in PEM', 'none: plain HTTP'),
  tlsKey: open('daemon', file, 'key of that certificate, in PEM', 'none'),
  corsOrigin: open('daemon', webOrigin, 'a web site whose pages may ask over HTTP, or *', 'none'),
  maxUpload: row('daemon', bytes, 'the largest HTTP request', '100MB', () => 100 * 2 ** 20),
  idempotency: fixed(
    'daemon',
    oneOf('HOW', ['reject', 'replay']),
    'what Comfy API v2 does with a request that is sent again with its Idempotency-Key: reject it, or replay its first answer',
    'reject',
  ),
  webRoot: open('daemon', folder, "a copy of ComfyUI's frontend, to be served at /", 'none'),
  webhook: row<readonly string[]>(
    'daemon',
    webAddresses,
    'told over HTTP when jobs start, go on and end',
    'none',
    () => [],
  ),
  webhookSecret: open('daemon', file, 'what those messages are signed with', 'none: they are not signed'),
  urlLifetime: time('how long signed addresses of stored outputs are good', '1h', 3600),
  redis: row<Optional<string>>(
    'daemon',
    redisAddress,
    'takes work from this Redis, as redis://localhost:6379',
    '$HUB_REDIS_URL, else none',
    () => process.env['HUB_REDIS_URL'],
  ),
  redisProtocol: row<(typeof REDIS_PROTOCOLS)[number]>(
    'daemon',
    oneOf('NAME', REDIS_PROTOCOLS),
    `in whose words: ${REDIS_PROTOCOLS.join(', ')}`,
    'emp-job-queue with $HUB_REDIS_URL, else myspinbot',
    () => (process.env['HUB_REDIS_URL'] === undefined ? 'myspinbot' : 'emp-job-queue'),
  ),
  redisStreams: fixed(
    'daemon',
    name,
    "streams of the control plane and of workers, in MySpinBot's form",
    'stream:control,stream:data',
  ),
  redisGroup: fixed('daemon', name, 'the group that workers are of', 'workers'),
  redisHeartbeat: time(
    'a sign of life is given twice in each; within three, work of a worker that died is taken over',
    '10s',
    10,
  ),
  redisAttempts: fixed(
    'daemon',
    count({ max: 1000 }),
    'deliveries of an entry before it goes to the dead letters',
    5,
  ),
  redisTtl: time('how long results are kept in Redis', '12h', 43_200),
  warm: row<readonly string[]>(
    'daemon',
    modelNames,
    'a checkpoint that is loaded before the daemon says that it is ready',
    'none',
    () => [],
  ),
  defaultModel: open(
    'daemon',
    name,
    'the checkpoint for requests that name one which is not there',
    'what templates would take',
  ),
  strictModels: fixed(
    'daemon',
    toggle,
    'turn requests away that name a checkpoint which is not there',
    false,
  ),
  previewMethod: fixed(
    'daemon',
    oneOf('METHOD', PREVIEW_METHODS),
    `how live previews are made: ${PREVIEW_METHODS.join(', ')}; taesd needs its decoder in vae_approx`,
    'latent2rgb',
  ),
  maxConnections: open(
    'daemon',
    count({ max: 1_000_000 }),
    'connections of clients at once',
    'what the limit of open files has room for',
  ),
  queueCapacity: fixed('daemon', count({ max: 1_000_000 }), 'jobs that may wait', 1000),
  queueOrder: fixed(
    'daemon',
    oneOf('ORDER', QUEUE_ORDERS),
    'whose job is next among those of a priority: clients take turns, or the one that came first',
    'turns',
  ),
  clientConcurrency: open('daemon', count({ max: 1000 }), 'jobs of one client that run at once', 'no limit'),
  clientRate: open(
    'daemon',
    count({ max: 1_000_000 }),
    'jobs that one client may submit a minute',
    'no limit',
  ),
  jobTimeLimit: time('longest time for an attempt at a job', '1h', 3600),
  engineTimeout: time('longest silence of the engine in a job', '10m', 600),
  gracePeriod: time('time to finish the running job when told to stop', '30s', 30),
  keepFor: time('how long finished jobs can be asked for', '30d', 30 * 86_400),
  keepJobs: fixed('daemon', count({ max: 10_000_000 }), 'how many finished jobs can be asked for', 10_000),
  logLevel: fixed(
    'daemon',
    oneOf('LEVEL', LOG_LEVELS),
    `the least that is logged: ${LOG_LEVELS.join(', ')}`,
    'info',
  ),
};

export type SettingName = keyof typeof rows;

export type Settings = {
  readonly [Name in SettingName]: (typeof rows)[Name] extends SettingRow<infer Value> ? Value : never;
};

export const SETTINGS: { readonly [Name in SettingName]: SettingRow<Settings[Name]> } = rows;

/** In the order of the table, which is that of help and docs. */
export const SETTING_NAMES = Object.keys(rows) as readonly SettingName[];

export const ENGINE_SETTING_NAMES = namesFor('engine');

/** What a client needs to reach a daemon. */
export const CLIENT_SETTING_NAMES = namesFor('client');

/** What fetching models needs beside the models folder. */
export const PULL_SETTING_NAMES = namesFor('pull');

/** `--memory-limit` of `memoryLimit`. */
export function flagOf(name: SettingName): string {
  return `--${words(name).join('-')}`;
}

/** `LATENTD_MEMORY_LIMIT` of `memoryLimit`. */
export function variableOf(name: SettingName): string {
  return ['LATENTD', ...words(name)].join('_').toUpperCase();
}

function words(name: SettingName): string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}

function namesFor(audience: Audience): readonly SettingName[] {
  return SETTING_NAMES.filter((name) => rows[name].audience === audience);
}

function row<Value>(
  audience: Audience,
  kind: Kind<NonNullable<Value>>,
  help: string,
  unset: string,
  byDefault: (place: DefaultPlace) => Value,
): SettingRow<Value> {
  return { audience, kind, help, unset, byDefault };
}

/** A setting with one default for everybody. */
function fixed<Value extends string | number | boolean>(
  audience: Audience,
  kind: Kind<Value>,
  help: string,
  value: NoInfer<Value>,
): SettingRow<Value> {
  return row<Value>(audience, kind, help, String(value), () => value);
}

/** A setting that stays undefined unless it is set. */
function open<Value extends string | number>(
  audience: Audience,
  kind: Kind<Value>,
  help: string,
  unset: string,
): SettingRow<Optional<Value>> {
  return row<Optional<Value>>(audience, kind, help, unset, () => undefined);
}

function folderRow(name: string, help: string): SettingRow<string> {
  return row('engine', folder, help, `./${name}`, ({ cwd }) => resolve(cwd, name));
}

/** A time of the daemon's; `seconds` are what `shown` says. */
function time(help: string, shown: string, seconds: number): SettingRow<number> {
  return row('daemon', duration, help, shown, () => seconds);
}

/** ComfyUI looks beside its main.py, which is beside its models folder; the working folder is asked too. */
function findExtraModelPaths({ models, cwd }: DefaultPlace): readonly string[] {
  const places = new Set([dirname(models), cwd].map((place) => join(place, 'extra_model_paths.yaml')));
  return [...places].filter((place) => existsSync(place));
}
