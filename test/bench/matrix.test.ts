import { describe, expect, it } from 'vitest';
import { caseKey, distinguish, type BenchCase } from '../../src/bench/case.js';
import { CaseError, expandMatrix, parseMatrix, readExtent } from '../../src/bench/matrix.js';

const base: BenchCase = {
  checkpoint: 'sd15.safetensors',
  width: 512,
  height: 512,
  batch: 1,
  steps: 8,
  sampler: 'euler',
  scheduler: 'normal',
};
const cases = (...texts: string[]) => expandMatrix(base, parseMatrix(texts));

describe('a matrix', () => {
  it('of nothing is the one case', () => {
    expect(cases()).toEqual([base]);
  });

  it('sweeps every combination, the last axis fastest', () => {
    const sizes = cases('size=256x384, 512', 'batch=1,2;steps=4').map(
      ({ width, height, batch, steps }) => `${width}x${height} ${batch} ${steps}`,
    );
    expect(sizes).toEqual(['256x384 1 4', '256x384 2 4', '512x512 1 4', '512x512 2 4']);
  });

  it('sweeps samplers, schedulers and checkpoints', () => {
    const all = cases('sampler=euler,dpmpp_2m', 'scheduler=karras', 'checkpoint=a,b');
    expect(all).toHaveLength(4);
    expect(all[1]).toMatchObject({ sampler: 'euler', scheduler: 'karras', checkpoint: 'b' });
    expect(new Set(all.map(caseKey)).size).toBe(4);
  });

  it.each([
    ['sizes=512', /no axis "sizes"; nearest: "size"; axes are size, batch, steps, sampler/],
    ['', /no axis ""/],
    ['size=512x', /--matrix size must be a number of pixels from 64 to 16384 that 8 divides, not ""/],
    ['size=500x500', /that 8 divides, not "500"/],
    ['size=512x512x3', /must be WIDTHxHEIGHT/],
    ['batch=0', /--matrix batch must be a whole number from 1 to 64, not "0"/],
    ['steps=2,,3', /--matrix steps must be .*, not ""/],
    ['steps=2.5', /not "2\.5"/],
    ['sampler=eular', /--matrix sampler: there is no sampler "eular"; nearest: "euler"/],
    ['scheduler=karas', /nearest: "karras"/],
    ['steps=1;steps=2', /--matrix steps is given twice/],
    [`steps=${Array.from({ length: 201 }, (_, index) => index + 1).join()}`, /201 cases/],
  ])('refuses %s', (text, message) => {
    expect(() => parseMatrix([text])).toThrow(CaseError);
    expect(() => parseMatrix([text])).toThrow(message);
  });
});

it('extents are whole, and not too large', () => {
  expect(readExtent('1024', '--width')).toBe(1024);
  expect(() => readExtent('99999992', '--width')).toThrow(/--width must be .* not "99999992"/);
});

describe('a case among others', () => {
  it('is named by what differs', () => {
    const all = cases('size=512x512,768x512', 'sampler=euler,lms');
    expect(all.map((one) => distinguish(one, all))).toEqual([
      '512×512 · euler',
      '512×512 · lms',
      '768×512 · euler',
      '768×512 · lms',
    ]);
  });

  it('is described whole when it is alone', () => {
    expect(distinguish(base, [base])).toBe('sd15.safetensors 512×512, batch 1, 8 steps of euler (normal)');
  });
});
