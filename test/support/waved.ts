/** Files of weights that tools/reference/guidance_workflows.py makes as well: too large to be kept, and made by a rule. */
import { readFileSync, writeFileSync } from 'node:fs';

/** `scale`·sin(0.7·index + the bytes of `key`, summed). */
export function waved(key: string, count: number, scale: number): Float32Array {
  const start = [...Buffer.from(key)].reduce((sum, byte) => sum + byte, 0);
  return Float32Array.from({ length: count }, (_, index) => scale * Math.sin(index * 0.7 + start));
}

interface Entry {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function writeSafetensors(path: string, weights: ReadonlyMap<string, Entry>): void {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, { shape, values }] of weights) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const parts = [...weights.values()].map(({ values }) => Buffer.from(values.buffer));
  writeFileSync(path, Buffer.concat([length, json, ...parts]));
}

/** What GLIGEN has beside each of the tiny SD 1.5's transformer blocks. */
export function writeTinyGligen(path: string): void {
  const weights = new Map<string, Entry>();
  const add = (name: string, shape: readonly number[], key: string, scale: number): void => {
    weights.set(name, {
      shape,
      values: waved(
        key,
        shape.reduce((a, b) => a * b, 1),
        scale,
      ),
    });
  };
  const widths: readonly (readonly [string, number])[] = [
    ...[1, 2, 4, 5, 7, 8].map((block, at) => [`input_blocks.${block}.1`, [32, 64, 128][at >> 1]!] as const),
    ['middle_block.1', 128],
    ...[3, 4, 5, 6, 7, 8, 9, 10, 11].map(
      (block, at) => [`output_blocks.${block}.1`, [128, 64, 32][Math.floor(at / 3)]!] as const,
    ),
  ];
  for (const [block, width] of widths) {
    const at = `${block}.transformer_blocks.0.fuser`;
    const shapes: Readonly<Record<string, readonly number[]>> = {
      'linear.weight': [width, 768],
      'linear.bias': [width],
      'attn.to_q.weight': [width, width],
      'attn.to_k.weight': [width, width],
      'attn.to_v.weight': [width, width],
      'attn.to_out.0.weight': [width, width],
      'attn.to_out.0.bias': [width],
      'ff.net.0.proj.weight': [8 * width, width],
      'ff.net.0.proj.bias': [8 * width],
      'ff.net.2.weight': [width, 4 * width],
      'ff.net.2.bias': [width],
      'norm1.weight': [width],
      'norm1.bias': [width],
      'norm2.weight': [width],
      'norm2.bias': [width],
    };
    for (const [name, shape] of Object.entries(shapes)) {
      add(`${at}.${name}`, shape, `${at}.${name}`, name.startsWith('norm') ? 1 : 0.2);
    }
    weights.set(`${at}.alpha_attn`, { shape: [], values: Float32Array.of(0.7) });
    weights.set(`${at}.alpha_dense`, { shape: [], values: Float32Array.of(-0.4) });
  }
  add('position_net.null_positive_feature', [768], 'a', 1);
  add('position_net.null_position_feature', [64], 'b', 1);
  for (const [layer, rows, columns] of [
    [0, 512, 832],
    [2, 512, 512],
    [4, 768, 512],
  ] as const) {
    add(`position_net.linears.${layer}.weight`, [rows, columns], `${layer}w`, 0.1);
    add(`position_net.linears.${layer}.bias`, [rows], `${layer}b`, 0.1);
  }
  writeSafetensors(path, weights);
}

/** A checkpoint as another of the same shapes: a bit of each half turned over. */
export function writeOtherCheckpoint(from: string, path: string): void {
  const file = Buffer.from(readFileSync(from));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { readonly dtype?: string; readonly data_offsets?: readonly [number, number] }
  >;
  for (const { dtype, data_offsets: [begin, end] = [0, 0] } of Object.values(header)) {
    if (dtype !== 'F16') continue;
    for (let at = start + begin; at < start + end; at += 2) file[at]! ^= 0x20;
  }
  writeFileSync(path, file);
}
