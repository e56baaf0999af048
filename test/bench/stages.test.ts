import { describe, expect, it } from 'vitest';
import type { Recording } from '../../src/bench/recorder.js';
import { timesOf } from '../../src/bench/stages.js';

const node = (classType: string, started: number, ended: number, steps: number[] = []) => ({
  classType,
  started,
  ended,
  steps,
});
const run = (name: string, started: number, ended: number, flops: number) => ({
  name,
  started,
  ended,
  flops,
  bytes: 10 * flops,
});

/** Two prompts; the text encoder and the UNet are loaded within their first use. */
const recording: Recording = {
  started: 1000,
  ended: 2000,
  nodes: [
    node('CheckpointLoaderSimple', 1010, 1020),
    node('CLIPTextEncode', 1020, 1120),
    node('CLIPTextEncode', 1120, 1130),
    node('EmptyLatentImage', 1130, 1131),
    node('KSampler', 1131, 1700, [1500, 1600, 1690]),
    node('VAEDecode', 1700, 1900),
    node('SaveImage', 1900, 1990),
  ],
  loads: [
    { name: 'clip_l', started: 1025, built: 1030, ended: 1095, bytes: 1 },
    { name: 'unet', started: 1140, built: 1160, ended: 1400, bytes: 2 },
  ],
  waits: [
    { started: 1025, ended: 1095 },
    { started: 1140, ended: 1400 },
  ],
  runs: [
    run('clip_l', 1096, 1110, 5),
    run('clip_l', 1121, 1129, 5),
    run('unet', 1405, 1450, 100),
    // Two evaluations in one step.
    run('unet', 1505, 1550, 100),
    run('unet', 1555, 1595, 100),
    run('unet', 1605, 1680, 100),
    run('vae decoder', 1710, 1890, 40),
  ],
};

describe('the stages of a run', () => {
  const times = timesOf(recording);

  it('add up what belongs together, without waiting for models', () => {
    expect(times.stages).toEqual({
      'checkpoint open': { ms: 10, flops: 0, bytes: 0 },
      'text encode': { ms: 100 + 10 - 70, flops: 10, bytes: 100 },
      sampling: { ms: 569 - 260, flops: 400, bytes: 4000 },
      'vae decode': { ms: 200, flops: 40, bytes: 400 },
      png: { ms: 90, flops: 0, bytes: 0 },
    });
    expect(times.totalMs).toBe(1000);
  });

  it('have each sampling step, with what was evaluated in it', () => {
    expect(times.steps).toEqual([
      { ms: 369 - 260, flops: 100, bytes: 1000 },
      { ms: 100, flops: 200, bytes: 2000 },
      { ms: 90, flops: 100, bytes: 1000 },
    ]);
  });

  it('have each load, and how long its graph took to build', () => {
    expect(times.loads).toEqual([
      { name: 'clip_l', ms: 70, buildMs: 5 },
      { name: 'unet', ms: 260, buildMs: 20 },
    ]);
  });
});
