/** A film whose making is ended from outside: by a terminal, by a service manager, by the kernel. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSyntheticCheckpoint } from '../support/synthetic.js';
import { makeClip, timesOf } from '../video/clips.js';
import { compactManifest } from '../video/compact.js';
import { buildCli, latentd } from './latentd.js';

let home: string;
const at = (name: string) => join(home, name);

beforeAll(() => {
  buildCli();
  home = mkdtempSync(join(tmpdir(), 'latentd-stop-'));
  mkdirSync(at('models/upscale_models'), { recursive: true });
  writeSyntheticCheckpoint(compactManifest(2, 16, 4), at('models/upscale_models/compact-x2.safetensors'));
  // Long enough to be stopped on its way.
  makeClip(at('long.mp4'), 20, '96x64');
});
afterAll(() => {
  rmSync(home, { recursive: true });
});

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await delay(20);
}

/** Sends a signal to latentd and all of its process group when a stretch is finished and frames of the next one have gone to ffmpeg. */
function stopWith(signal: NodeJS.Signals, output: string) {
  return latentd(['upscale', 'long.mp4', output], {
    cwd: home,
    group: true,
    onStart: (kill) => {
      const send = async () => {
        await until(() => existsSync(at(`${output}.latentd/manifest.json`)));
        await delay(300);
        kill(signal);
      };
      void send();
    },
  });
}

/** ffmpegs that work on a film. */
function workers(output: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes('ffmpeg') && line.includes(at(output)));
}

const framesDone = (output: string): number => {
  const { stretches } = JSON.parse(readFileSync(at(`${output}.latentd/manifest.json`), 'utf8')) as {
    readonly stretches: readonly { readonly frames: number }[];
  };
  return stretches.reduce((sum, { frames }) => sum + frames, 0);
};

async function goOn(output: string): Promise<number> {
  const { code, stdout } = await latentd(['upscale', 'long.mp4', output, '--json'], { cwd: home });
  expect(code).toBe(0);
  const { frames, resumed } = JSON.parse(stdout) as { frames: number; resumed: number };
  expect(frames).toBe(600);
  expect(timesOf(at(output))).toEqual(timesOf(at('long.mp4')));
  expect(readdirSync(home).filter((name) => name.endsWith('.latentd'))).toEqual([]);
  return resumed;
}

describe('a film that is stopped', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s keeps every frame that ffmpeg was given, and goes on there',
    async (signal) => {
      const output = `${signal}.mp4`;
      const stopped = await stopWith(signal, output);
      expect(stopped.code).toBe(128 + constants.signals[signal]);
      expect(stopped.stderr).toContain('stopped; the same command goes on where it was');
      expect(existsSync(at(output))).toBe(false);
      expect(workers(output)).toEqual([]);
      // Not only whole stretches of 240: the one that was being written was brought to its end.
      const done = framesDone(output);
      expect(done % 240).toBeGreaterThan(0);
      expect(await goOn(output)).toBe(done);
    },
    120_000,
  );

  it('by SIGKILL leaves no ffmpeg behind, and goes on after the last stretch', async () => {
    const output = 'killed.mp4';
    const killed = await stopWith('SIGKILL', output);
    expect(killed.signal).toBe('SIGKILL');
    await until(() => workers(output).length === 0);
    expect(existsSync(at(output))).toBe(false);
    expect(await goOn(output)).toBeGreaterThanOrEqual(240);
  }, 120_000);
});

it('a file that ffmpeg could not finish is an error, though ffmpeg exits with 0', async () => {
  // No file may have more than 1024 bytes: the beginning of one is written, its end is not.
  const program = at('ffmpeg-of-little-room');
  const ffmpeg = execFileSync('which', ['ffmpeg'], { encoding: 'utf8' }).trim();
  writeFileSync(program, `#!/bin/sh\ntrap '' XFSZ\nulimit -f 1\nexec ${ffmpeg} "$@"\n`, { mode: 0o755 });
  makeClip(at('short.mp4'), 0.2, '96x64');
  const { code, stderr } = await latentd(['upscale', 'short.mp4', 'short-2.mp4'], {
    cwd: home,
    env: { FFMPEG_PATH: program },
  });
  expect(stderr).toMatch(/Error writing trailer of .*: File too large/);
  expect(code).toBe(1);
  expect(readdirSync(home).filter((name) => name.startsWith('short-2'))).toEqual([]);
});
