import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkMemory, checkNode } from '../../src/cli/doctor/machine.js';
import { buildCli, latentd } from './latentd.js';

interface Report {
  readonly status: string;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
    readonly remedy?: string;
  }[];
  readonly settings: Readonly<Record<string, { readonly value: unknown; readonly source: string }>>;
  readonly warnings: readonly string[];
}

let cwd: string;

beforeAll(buildCli);
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'latentd-doctor-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

async function examine(...args: string[]): Promise<{ code: number | null; report: Report }> {
  const { code, stdout } = await latentd(['doctor', '--json', ...args], {
    cwd,
    env: { LATENTD_OUTPUTS: 'x' },
  });
  return { code, report: JSON.parse(stdout) as Report };
}

test('a built clone with no models is ready, and is told what to add', async () => {
  const { code, report } = await examine('--output', 'pictures');
  expect([code, report.status]).toEqual([0, 'ok']);
  const check = (name: string) => report.checks.find((each) => each.name === name);
  for (const name of ['node', 'addon', 'onnxruntime', 'device cpu', 'ffmpeg', 'disk', 'output']) {
    expect(check(name)).toMatchObject({ status: 'ok' });
  }
  expect(check('onnxruntime')!.detail).toMatch(/^\d+\.\d+\.\d+$/);
  expect(check('ffmpeg')!.detail).toMatch(/^\d.*, with ffprobe; writes h264, h265, prores, vp9$/);
  expect(check('models')).toMatchObject({ status: 'warning' });
  expect(check('models')!.remedy).toContain(`${join(cwd, 'models')}/checkpoints`);
  expect(report.settings['output']).toEqual({
    value: join(cwd, 'pictures'),
    source: 'flag',
    from: '--output',
  });
  expect(report.warnings).toEqual([
    'LATENTD_OUTPUTS is set, but there is no such setting; nearest: LATENTD_OUTPUT',
  ]);
});

test('ffmpeg that is absent, or can do less, is worth a warning', async () => {
  const programs = join(cwd, 'programs');
  mkdirSync(programs);
  const found = (name: string) => execFileSync('which', [name], { encoding: 'utf8' }).trim();
  const ffmpegCheck = async () => {
    const { stdout } = await latentd(['doctor', '--json'], { cwd, env: { PATH: programs } });
    return (JSON.parse(stdout) as Report).checks.find(({ name }) => name === 'ffmpeg');
  };
  expect(await ffmpegCheck()).toEqual({
    name: 'ffmpeg',
    status: 'warning',
    detail: "ffmpeg or ffprobe isn't there; only films need them",
    remedy: expect.stringContaining('apt-get install -y ffmpeg') as unknown,
  });
  const less = `#!/bin/sh\nif [ "$1" = -encoders ]; then echo ' V..... libx264 x'; else exec ${found('ffmpeg')} "$@"; fi\n`;
  writeFileSync(join(programs, 'ffmpeg'), less, { mode: 0o755 });
  expect(await ffmpegCheck()).toMatchObject({
    detail: "ffmpeg or ffprobe isn't there; only films need them",
  });
  symlinkSync(found('ffprobe'), join(programs, 'ffprobe'));
  const check = await ffmpegCheck();
  expect(check?.status).toBe('warning');
  expect(check?.detail).toMatch(
    /, without libx265 \(h265\), prores_ks \(prores\), libvpx-vp9 \(vp9\), aac \(sound\), libopus \(sound\)$/,
  );
});

test('an output folder that is a file is a fault', async () => {
  writeFileSync(join(cwd, 'output'), '');
  const { code, report } = await examine();
  expect([code, report.status]).toEqual([1, 'fault']);
  const faults = report.checks.filter((check) => check.status === 'fault');
  expect(faults).toEqual([
    {
      name: 'output',
      status: 'fault',
      detail: `${join(cwd, 'output')} is not a folder`,
      remedy: 'choose another folder with --output',
    },
  ]);
});

test('for a person: a line a check, the settings, and a last word', async () => {
  const { code, stdout } = await latentd(['doctor'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^✓ {2}node +\d+\.\d+\.\d+$/m);
  expect(stdout).toMatch(/^! {2}models .*\n +→ put a \.safetensors checkpoint into /m);
  expect(stdout).toMatch(/^ {2}device +default +auto$/m);
  expect(stdout.trimEnd()).toMatch(/Ready\.$/);
});

describe('limits', () => {
  test.each([
    ['18.20.0', 'fault'],
    ['20.18.3', 'fault'],
    ['20.19.0', 'ok'],
    ['24.0.0', 'ok'],
  ])('Node %s: %s', (version, status) => {
    expect(checkNode(version).status).toBe(status);
  });

  test('little memory is worth a warning', () => {
    expect(checkMemory(8 * 2 ** 30, 2 * 2 ** 30)).toMatchObject({
      status: 'warning',
      detail: '8.0 GB, 2.0 GB of it free',
    });
    expect(checkMemory(64 * 2 ** 30, 32 * 2 ** 30).status).toBe('ok');
  });
});
