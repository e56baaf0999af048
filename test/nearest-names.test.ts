import { expect, test } from 'vitest';
import { nearestHint, nearestNames } from '../src/nearest-names.js';

const samplers = ['euler', 'euler_ancestral', 'heun', 'dpmpp_2m', 'dpmpp_2m_sde', 'uni_pc'];

test('the closest name comes first', () => {
  expect(nearestNames('dpmpp_m2', samplers)).toEqual(['dpmpp_2m', 'dpmpp_2m_sde']);
  expect(nearestNames('Eular', samplers)[0]).toBe('euler');
});

test('folders and case count less than the name itself', () => {
  expect(nearestNames('SDXL.safetensors', ['people/sdxl.safetensors', 'vae.ckpt'])).toEqual([
    'people/sdxl.safetensors',
  ]);
});

test('nothing is suggested where nothing is near', () => {
  expect(nearestNames('zzzzzz', samplers)).toEqual([]);
  expect(nearestHint('zzzzzz', samplers)).toBe('');
  expect(nearestHint('heum', samplers)).toBe('; nearest: "heun"');
});
