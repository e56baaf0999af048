// Compares whole workflows with ComfyUI: [NOISE=cpu-0.3.64] node tools/parity.mjs MODELS CASES [PATTERN]
// CASES is a folder that tools/reference/parity.py filled. Latents must agree to 2e-5 relative RMS, images to 1/255.
// Prints one line a case that fails and a summary; exit code 1 when any does.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import sharp from 'sharp';
import { createEngine } from '../dist/index.js';

const LATENT_LIMIT = 2e-5;
const IMAGE_LIMIT = 1 / 255 + 1e-6;
const [models, cases, pattern = '*'] = process.argv.slice(2);
const glob = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
const work = mkdtempSync(join(tmpdir(), 'latentd-parity-'));
const engine = createEngine({
  folders: { models, input: join(models, 'input'), output: work, temp: work },
  threads: 2,
  ...(process.env.NOISE && { noise: process.env.NOISE }),
});

function tensors(file) {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength));
  const read = ({ data_offsets: [from, to], shape }) => {
    const start = 8 + headerLength + from;
    return {
      shape,
      data: new Float32Array(
        bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + to - from),
      ),
    };
  };
  return new Map(
    Object.entries(header)
      .filter(([key]) => key !== '__metadata__')
      .map(([key, value]) => [key, read(value)]),
  );
}

/** Where both are no number, or both nothing, they agree. */
function relativeRms(actual, expected) {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    if (Number.isNaN(expected[i])) return Infinity;
    difference += (actual[i] - expected[i]) ** 2;
  }
  for (const value of expected) if (!Number.isNaN(value)) size += value ** 2;
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

async function compareImages(saved, expected) {
  const [, height, width] = expected.shape;
  let worst = 0;
  for (const [index, { path }] of saved.entries()) {
    const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height) return Infinity;
    const offset = index * data.length;
    for (let i = 0; i < data.length; i++) {
      // ComfyUI saves by truncation; so do both sides here.
      worst = Math.max(
        worst,
        Math.abs(data[i] - Math.trunc(Math.min(255, Math.max(0, 255 * expected.data[offset + i])))),
      );
    }
  }
  return worst / 255;
}

async function compare(name) {
  const text = readFileSync(join(cases, `${name}.json`), 'utf8');
  const workflow = JSON.parse(text);
  const expected = tensors(join(cases, `${name}.safetensors`));
  const result = await engine.run(text, {});
  if (result.status === 'error') return `${result.error.node_type}: ${result.error.exception_message}`;
  if (result.status !== 'success') return JSON.stringify(result.report ?? result.status).slice(0, 400);
  const faults = [];
  for (const [id, ui] of Object.entries(result.outputs)) {
    const { class_type: type, inputs } = workflow[id];
    const [from, slot] = type === 'SaveLatent' ? inputs.samples : inputs.images;
    const reference = expected.get(`${from}.${workflow[from].class_type}.${slot}`);
    if (type === 'SaveLatent') {
      const actual = tensors(ui.latents[0].path).get('latent_tensor');
      const same = String(actual.shape) === String(reference.shape);
      const error = same ? relativeRms(actual.data, reference.data) : Infinity;
      errors.push({ name, error });
      if (!(error <= LATENT_LIMIT))
        faults.push(`node ${from}: relative RMS ${error.toExponential(2)} (shape ${actual.shape})`);
    } else {
      const error = await compareImages(ui.images, reference);
      if (!(error <= IMAGE_LIMIT))
        faults.push(`node ${from}: image differs by ${(error * 255).toFixed(1)}/255`);
    }
  }
  return faults.length === 0 ? undefined : faults.join('; ');
}

const errors = [];
let failed = 0;
const names = readdirSync(cases)
  .filter((file) => file.endsWith('.json'))
  .map((file) => basename(file, '.json'))
  .filter((name) => glob.test(name));
for (const name of names) {
  const fault = await compare(name).catch((error) => String(error.stack ?? error));
  if (fault !== undefined) {
    failed++;
    console.log(`${name}: ${fault}`);
  }
}
await engine.dispose();
rmSync(work, { recursive: true });
errors.sort((a, b) => b.error - a.error);
const median = errors[Math.floor(errors.length / 2)]?.error ?? NaN;
for (const { name, error } of errors.slice(0, 5))
  console.log(`worst latents: ${name} ${error.toExponential(2)}`);
console.log(
  `${names.length - failed} of ${names.length} cases agree; median latent ${median.toExponential(2)}`,
);
process.exitCode = failed === 0 ? 0 : 1;
