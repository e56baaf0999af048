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
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readManifest, writeSyntheticCheckpoint } from '../support/synthetic.js';
import { buildCli, latentd, ROOT, type Ended } from './latentd.js';

const STARTER = 'starter-sprites.safetensors';
const SPRITE = join(ROOT, 'graphs/sprite_optimized.json');
const SMALL = ['--set', 'Canvas.width=64', '--set', 'Canvas.height=64', '--set', 'Sampler.steps=2'];

interface RunJson {
  readonly status: string;
  readonly outputs: Readonly<Record<string, { readonly images?: readonly string[] }>>;
  readonly timings: readonly { readonly node: string; readonly class_type: string }[];
  readonly error?: { readonly type: string; readonly message: string };
}

/** A working folder without models, whose first run has put the starter model there. */
let cwd: string;
let first: Ended;

beforeAll(async () => {
  buildCli();
  cwd = mkdtempSync(join(tmpdir(), 'latentd-templates-'));
  first = await latentd(['run', SPRITE, ...SMALL], { cwd });
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

const metadata = (path: string) => readFileSync(path).toString('latin1');

describe('on a fresh clone', () => {
  test('the first run takes the starter model, says so, and saves a picture', () => {
    const image = join(cwd, 'output/sprite_00001_.png');
    expect([first.code, first.stdout]).toEqual([0, `${image}\n`]);
    expect(first.stderr).toContain(
      `sd_xl_base_1.0.safetensors isn't there, so the template runs with ${STARTER} (a tiny model of pixel-art sprites, at 128×128`,
    );
    expect(first.stderr).toContain('no --prompt was given, so it is "a knight with a round shield"');
    expect(metadata(image)).toContain('pixel art sprite of a knight with a round shield, 16-bit');
    expect(metadata(image)).toContain(STARTER);
  });

  test('the next run uses it again, at the size and guidance that suit it', async () => {
    const { code, stdout } = await latentd(['run', SPRITE, '--prompt', 'an owl'], { cwd });
    expect(code).toBe(0);
    expect(metadata(stdout.trim())).toMatch(/"width":\s*128,\s*"height":\s*128/);
    expect(metadata(stdout.trim())).toMatch(/"cfg":\s*4/);
    expect(readdirSync(join(cwd, 'models/checkpoints'))).toEqual([STARTER]);
  });

  test('the same seed draws the same picture', async () => {
    const draw = async (...args: string[]) => {
      const { stdout } = await latentd(['run', 'sprite_optimized', ...SMALL, '--prompt', 'x', ...args], {
        cwd,
      });
      return pixels(stdout.trim());
    };
    const one = await draw('--seed', '18446744073709551615');
    expect(await draw('--seed', '18446744073709551615')).toBe(one);
    expect(await draw('--seed', '1')).not.toBe(one);
  });
});

/** The compressed pixels of a PNG, without its texts. */
function pixels(path: string): string {
  const text = metadata(path);
  return text.slice(text.indexOf('IDAT'));
}

test("a user's own checkpoint comes before the starter model", async () => {
  const models = join(cwd, 'own');
  mkdirSync(join(models, 'checkpoints'), { recursive: true });
  symlinkSync(join(cwd, 'models/checkpoints', STARTER), join(models, 'checkpoints', STARTER));
  const manifest = readManifest(join(ROOT, 'test/fixtures/golden/manifests/sdxl-tiny.json'));
  writeSyntheticCheckpoint(manifest, join(models, 'checkpoints/zebra.safetensors'));
  writeFileSync(join(models, 'checkpoints/aged.safetensors'), 'damaged');
  const { code, stderr } = await latentd(['run', SPRITE, ...SMALL, '--models', models], { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain('the template runs with zebra.safetensors');
});

test('a models folder that was named is never written to', async () => {
  mkdirSync(join(cwd, 'empty'));
  const { code, stderr } = await latentd(['run', SPRITE, '--models', 'empty'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('sd_xl_base_1.0.safetensors');
  expect(stderr).toContain(`Put an SDXL checkpoint into ${join(cwd, 'empty/checkpoints')}`);
  expect(readdirSync(join(cwd, 'empty'))).toEqual([]);
});

test('a workflow of the user that names a missing checkpoint is refused', async () => {
  writeFileSync(join(cwd, 'mine.json'), readFileSync(SPRITE));
  const { code, stderr } = await latentd(['run', 'mine.json'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('sd_xl_base_1.0.safetensors');
});

test('--checkpoint takes a name without its extension, and suggests another for a wrong one', async () => {
  const named = await latentd(['run', 'mine.json', ...SMALL, '--checkpoint', 'starter-sprites'], {
    cwd,
  });
  expect(named.code).toBe(0);
  const wrong = await latentd(['run', 'mine.json', '--checkpoint', 'starter-sprite'], { cwd });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain(`nearest: "${STARTER}"`);
});

describe('every template runs', () => {
  test.each(['batch', 'animation', 'tileset'])('%s', async (name) => {
    const { code, stdout } = await latentd(['run', name, ...SMALL, '--json'], { cwd });
    const { status, outputs } = JSON.parse(stdout) as RunJson;
    expect([code, status]).toEqual([0, 'success']);
    expect(Object.values(outputs).flatMap(({ images = [] }) => images)).toHaveLength(
      name === 'batch' ? 4 : 1,
    );
  });

  test('animation, with its frame in prompt and name', async () => {
    const { stdout } = await latentd(['run', 'animation', ...SMALL, '--frame-index', '3'], { cwd });
    expect(stdout).toBe(`${join(cwd, 'output/animation_3_00001_.png')}\n`);
    expect(metadata(stdout.trim())).toContain('pixel art animation frame 3, a knight');
  });

  test('image_to_image', async () => {
    mkdirSync(join(cwd, 'input'));
    writeFileSync(join(cwd, 'input/input.png'), readFileSync(join(cwd, 'output/sprite_00001_.png')));
    const small = ['--set', 'Fit.width=64', '--set', 'Fit.height=64', '--set', 'Sampler.steps=2'];
    const { code, stdout } = await latentd(['run', 'image_to_image', ...small], { cwd });
    expect([code, existsSync(stdout.trim())]).toEqual([0, true]);
  });

  test("pixel_art_lora, with the starter model's own LoRA or one that is named", async () => {
    const own = await latentd(['run', 'pixel_art_lora', ...SMALL], { cwd });
    expect(own.code).toBe(0);
    expect(own.stderr).toContain('is for SDXL, so the template runs with starter-handheld.safetensors');
    expect(readdirSync(join(cwd, 'models/loras'))).toEqual(['starter-handheld.safetensors']);
    const path = join(cwd, 'models/loras/starter-handheld.safetensors');
    writeFileSync(join(cwd, 'models/loras/mine.safetensors'), readFileSync(path));
    const { code, stdout } = await latentd(['run', 'pixel_art_lora', ...SMALL, '--lora', 'mine'], { cwd });
    expect([code, existsSync(stdout.trim())]).toEqual([0, true]);
    expect(metadata(stdout.trim())).toContain('mine.safetensors');
  });
});

describe('a signal ends the run within a step', () => {
  const endless = () => ({
    ...(JSON.parse(readFileSync(SPRITE, 'utf8')) as object),
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: STARTER } },
    90: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 0 } },
    0: { class_type: 'SaveImage', inputs: { images: ['90', 0], filename_prefix: 'before' } },
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: exit code %d, and nothing half-made is left', async (signal, exitCode) => {
    const output = join(cwd, signal);
    const args = [
      'run',
      '-',
      '--json',
      '--output',
      output,
      ...SMALL.slice(0, 4),
      '--set',
      '5.steps=10000',
      '--prompt',
      'x',
    ];
    let kill: (signal: NodeJS.Signals) => void = () => undefined;
    const run = latentd(args, { cwd, input: JSON.stringify(endless()), onStart: (send) => (kill = send) });
    // Outputs come in the workflow's order: the quick one is saved, then sampling begins.
    while (!existsSync(join(output, 'before_00001_.png'))) await wait(50);
    await wait(2000);
    const sent = performance.now();
    kill(signal);
    const { code, stdout } = await run;
    const { status, error, timings } = JSON.parse(stdout) as RunJson;
    expect([code, status, error?.type]).toEqual([exitCode, 'interrupted', 'interrupted']);
    expect(timings.at(-1)?.class_type).toBe('KSampler');
    expect(performance.now() - sent).toBeLessThan(5000);
    expect(readdirSync(output)).toEqual(['before_00001_.png']);
  });
});
