import { describe, expect, it } from 'vitest';
import { relativeRms } from '../../support/golden.js';
import { tinyNetworks, type NetworkName } from '../../support/tiny-goldens.js';
import { interpretingBackend } from './interpreter/backend.js';

const networks: readonly NetworkName[] = ['denoiser', 'decoder', 'encoder', 'text encoder', 'pooled text'];

describe.each(['sd15', 'sdxl'] as const)(
  'the tiny networks of %s, lowered and run by plain loops',
  (family) => {
    const exact = tinyNetworks(family, interpretingBackend());

    it.each(networks)('%s: ComfyUI’s numbers', { timeout: 60_000 }, async (name) => {
      const { actual, expected } = await exact[name]();
      expect(relativeRms(actual, expected)).toBeLessThan(2e-5);
    });
  },
);
