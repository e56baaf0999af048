/** Nothing that latentd starts talks to anybody, or leaves anything behind, that its user did not ask for. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fixture, tinyCheckpoint } from '../support/golden.js';
import { buildCli, MAIN, ROOT } from './latentd.js';

const RECORDER = fixture('../support/record-network.c');

let tools: string;
let place: string;
let recorder: string;

beforeAll(() => {
  buildCli();
  tools = mkdtempSync(join(tmpdir(), 'latentd-recorder-'));
  recorder = join(tools, 'record-network.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', recorder, RECORDER, '-ldl']);
});
afterAll(() => {
  rmSync(tools, { recursive: true });
});
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'latentd-private-'));
  for (const folder of ['home', 'tmp', 'models/checkpoints'])
    mkdirSync(join(place, folder), { recursive: true });
  symlinkSync(tinyCheckpoint('sd15'), join(place, 'models/checkpoints/tiny.safetensors'));
  writeFileSync(join(place, 'workflow.json'), JSON.stringify(workflow));
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

const workflow = {
  1: {
    class_type: 'CheckpointLoaderSimple',
    inputs: { ckpt_name: 'tiny.safetensors' },
  },
  2: { class_type: 'CLIPTextEncode', inputs: { text: 'a knight', clip: ['1', 1] } },
  3: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
  4: {
    class_type: 'KSampler',
    inputs: {
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['2', 0],
      latent_image: ['3', 0],
      seed: 1,
      steps: 1,
      cfg: 2,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
    },
  },
  5: { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
  6: { class_type: 'SaveImage', inputs: { images: ['5', 0], filename_prefix: 'x' } },
};

/** A process as on a machine of no CI, with an empty home, whose look-ups and connections are recorded. */
function observed(...args: readonly string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'CI');
  return spawn(process.execPath, args, {
    cwd: place,
    env: {
      ...Object.fromEntries(inherited),
      HOME: join(place, 'home'),
      XDG_CACHE_HOME: '',
      TMPDIR: join(place, 'tmp'),
      LD_PRELOAD: recorder,
      NETWORK_RECORD: join(place, 'network'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
}

async function ended(child: ReturnType<typeof observed>): Promise<{ code: unknown; output: string }> {
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, output };
}

/** What was recorded, and what lies in the home folder and as a library's log in the temporary one. */
function traces(): string[] {
  const record = join(place, 'network');
  return [
    ...(existsSync(record) ? readFileSync(record, 'utf8').trim().split('\n') : []),
    ...readdirSync(join(place, 'home'), { recursive: true, encoding: 'utf8' }),
    ...readdirSync(join(place, 'tmp')).filter((name) => !name.startsWith('latentd')),
  ];
}

test('the recorder sees a look-up and a connection', async () => {
  const script = `
    require('node:dns').lookup('nobody.invalid', () => {
      require('node:net').connect({ host: '0.0.0.1', port: 9 }).on('error', () => {});
    });`;
  expect(await ended(observed('-e', script))).toEqual({ code: 0, output: '' });
  expect(traces()).toEqual(['lookup nobody.invalid', 'connect 0.0.0.1']);
});

test.each([
  ['run', [MAIN, 'run', 'workflow.json']],
  ['doctor', [MAIN, 'doctor']],
])('latentd %s', async (_, args) => {
  const { code, output } = await ended(observed(...args));
  expect(code, output).toBe(0);
  expect(traces()).toEqual([]);
});

test('the daemon and its engine', async () => {
  const address = (name: string) => `ipc://${join(place, name)}`;
  const addresses = ['--req-addr', address('requests'), '--pub-addr', address('updates')];
  const daemon = observed(MAIN, 'serve', ...addresses);
  const over = once(daemon, 'exit');
  await new Promise<void>((resolve) => {
    createInterface(daemon.stderr).on('line', (line) => {
      if (line.includes('"ready"')) resolve();
    });
  });
  const submit = ['submit', '--model', 'tiny', '--size', '64x64', '--steps', '1', '--prompt', 'a', '--wait'];
  const { code, output } = await ended(observed(MAIN, ...submit, ...addresses));
  expect(code, output).toBe(0);
  daemon.kill('SIGTERM');
  await over;
  expect(traces()).toEqual([]);
});

test('the library, in a worker thread', async () => {
  const program = `
    import { readFile } from 'node:fs/promises';
    import { createEngine } from ${JSON.stringify(join(ROOT, 'dist/index.js'))};
    const engine = createEngine();
    const { status } = await engine.run(await readFile('workflow.json', 'utf8'));
    await engine.dispose();
    console.log(status);`;
  writeFileSync(join(place, 'worker.mjs'), program);
  const { code, output } = await ended(
    observed('-e', "new (require('node:worker_threads').Worker)('./worker.mjs')"),
  );
  expect({ code, output }).toEqual({ code: 0, output: 'success\n' });
  expect(traces()).toEqual([]);
});
