/** Networks that find parts of pictures: YOLO, SAM, and detectors in ONNX's format, beside ultralytics', segment_anything's and Impact Pack's code. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import type { BytePicture } from '../../src/imaging/bytes.js';
import { yoloGraph } from '../../src/models/detectors/yolo-network.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import { openTorchModule } from '../../src/models/files/torch-file/torch-module.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { networkInput } from '../../src/models/segment-anything/segment-anything.js';
import { samEncoder } from '../../src/models/segment-anything/encoder.js';
import { nodeClasses } from '../../src/nodes/index.js';
import type { Detector, Segs } from '../../src/nodes/packs/impact/segs.js';
import { fixture, relativeRms, syntheticCheckpoint } from '../support/golden.js';
import { nodeContext } from '../support/node-context.js';
import { referenceCases } from '../support/reference-cases.js';
import { fillSynthetic } from '../support/synthetic.js';

interface Part {
  readonly region: readonly number[];
  readonly box: readonly number[];
  readonly confidence: number;
  readonly label: string;
  readonly mask: string;
}

interface Case {
  readonly model: 'detect' | 'segment';
  readonly kind: 'boxes' | 'outlines';
  readonly image: string;
  readonly threshold: number;
  readonly dilation: number;
  readonly factor: number;
  readonly drop: number;
  readonly parts: readonly Part[];
  readonly combined: string | null;
}

interface OutlineCase {
  readonly image: string;
  readonly points: readonly (readonly [number, number])[] | null;
  readonly labels: readonly number[] | null;
  readonly box: readonly [number, number, number, number] | null;
  readonly scores: readonly number[];
  readonly masks: string;
  readonly features: string;
}

const { cases, tensor: golden } = referenceCases<Case>('detectors/found.safetensors');
const opened = openSafetensors(fixture('detectors/found.safetensors'));
const outlines = JSON.parse(opened.metadata['outlines']!) as readonly OutlineCase[];
opened.file.close();

const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
afterAll(async () => {
  await programs.dispose();
  rmSync(root, { recursive: true });
});

const root = mkdtempSync(join(tmpdir(), 'latentd-detectors-'));
const folders = createFolders({ models: root, input: root, output: root, temp: root });
const models = createModelStore({ programs, folders });
for (const folder of ['ultralytics/bbox', 'ultralytics/segm', 'sams', 'onnx']) {
  mkdirSync(join(root, folder), { recursive: true });
}
const files = { detect: 'ultralytics/bbox/detect.pt', segment: 'ultralytics/segm/segment.pt' };
for (const [name, file] of Object.entries(files)) {
  writeFileSync(join(root, file), gunzipSync(readFileSync(fixture(`detectors/${name}.pt.gz`))));
}
copyFileSync(fixture('detectors/retinanet.onnx'), join(root, 'onnx/retinanet.onnx'));
copyFileSync(syntheticCheckpoint('detectors/sam'), join(root, 'sams/sam_vit_b.safetensors'));

function picture(name: string): BytePicture {
  const { shape, data } = golden(`picture.${name}`);
  return { height: shape[0]!, width: shape[1]!, channels: 3, data: Uint8Array.from(data) };
}

function image(name: string): Tensor {
  const { shape, data } = golden(`picture.${name}`);
  return tensor(
    [1, ...shape],
    data.map((value) => value / 255),
  );
}

async function outputsOf(name: string, inputs: object): Promise<readonly unknown[]> {
  const { outputs } = (await nodeClasses.get(name)!.run(inputs as never, {
    ...nodeContext(),
    folders,
    models,
  })) as {
    readonly outputs: readonly unknown[];
  };
  return outputs;
}

/** Every third pixel of every third row, in bytes. */
function expectMask(actual: Tensor, name: string): void {
  const expected = golden(name);
  const [, height = 0, width = 0] = actual.shape;
  expect([Math.ceil(height / 3), Math.ceil(width / 3)]).toEqual(expected.shape);
  const columns = expected.shape[1]!;
  const errors = expected.data.filter((value, at) => {
    const [x, y] = [(at % columns) * 3, Math.floor(at / columns) * 3];
    return Math.abs(Math.round(actual.data[y * width + x]! * 255) - value) > 1;
  });
  expect(errors.length / expected.data.length).toBeLessThanOrEqual(2e-3);
}

describe("YOLO networks are ultralytics'", () => {
  it.each(['detect', 'segment'] as const)('%s, layer by layer as its file lists them', async (name) => {
    const { weights: file, network } = openTorchModule(join(root, files[name]));
    const weights = safetensorsWeights(file);
    const pixels = tensor([1, 3, 96, 64]);
    fillSynthetic(`${name}.pos_embed`, pixels.shape, pixels.data);
    pixels.data.forEach((value, at) => (pixels.data[at] = value * 0.5 + 0.5));
    const outputs = await programs.use(
      name,
      () => yoloGraph(network, weights),
      (program) => program.run({ pixels }),
    );
    for (const output of name === 'segment' ? ['box1', 'score0', 'protos'] : ['box1', 'score0']) {
      expect(relativeRms(outputs[output]!, golden(`${name}.${output}`)), output).toBeLessThan(2e-5);
    }
  });

  it.each(cases)("$model, $kind of $image over $threshold, as Impact Pack's parts", async (given) => {
    const file = given.model === 'detect' ? 'bbox/detect.pt' : 'segm/segment.pt';
    const detectors = await outputsOf('UltralyticsDetectorProvider', { model_name: file });
    const detector = detectors[given.kind === 'boxes' ? 0 : 1] as Detector;
    const { items } = await detector.detect(image(given.image), {
      threshold: given.threshold,
      dilation: given.dilation,
      cropFactor: given.factor,
      dropSize: given.drop,
    });
    expect(items.map(({ label, region }) => ({ label, region }))).toEqual(
      given.parts.map(({ label, region }) => ({ label, region })),
    );
    given.parts.forEach(({ box, confidence, mask }, at) => {
      box.forEach((edge, side) => {
        expect(items[at]!.box[side]).toBeCloseTo(edge, 2);
      });
      expect(items[at]!.confidence).toBeCloseTo(confidence, 4);
      expectMask(items[at]!.mask, mask);
    });
    const combined = await detector.detectCombined(image(given.image), given.threshold, given.dilation);
    if (given.combined === null) expect(combined).toBeUndefined();
    else expectMask(combined!, given.combined);
  });

  it('says what is wrong with a file', async () => {
    const copy = (name: string, change: (bytes: Buffer) => Buffer) => {
      writeFileSync(join(root, 'ultralytics/bbox', name), change(readFileSync(join(root, files.detect))));
      return outputsOf('UltralyticsDetectorProvider', { model_name: `bbox/${name}` });
    };
    const renamed = (from: string, to: string) => (bytes: Buffer) => {
      expect(to.length).toBe(from.length);
      return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
    };
    await expect(copy('cut.pt', (bytes) => bytes.subarray(0, 4000))).rejects.toThrow(/cut\.pt/);
    await expect(copy('system.pt', renamed('ultralytics.nn.tasks', 'subprocess_module_x1'))).rejects.toThrow(
      /the global .* is refused: only what builds tensors is read, nothing is run/,
    );
    await expect(copy('other.pt', renamed('\nDetect\n', '\nDecode\n'))).rejects.toThrow(/ends in Decode/);
    writeFileSync(join(root, 'ultralytics/bbox/weights.pt'), readFileSync(fixture('torch/zip.pth')));
    await expect(outputsOf('UltralyticsDetectorProvider', { model_name: 'bbox/weights.pt' })).rejects.toThrow(
      /holds weights, but not the layers that they belong to/,
    );
    const [, none] = (await outputsOf('UltralyticsDetectorProvider', { model_name: 'bbox/detect.pt' })) as [
      Detector,
      Detector,
    ];
    await expect(none.detectCombined(image('wide'), 0.5, 0)).rejects.toThrow(/outlines nothing/);
  });
});

describe("SAM is segment_anything's", () => {
  it.each(outlines)('in $image', async ({ image: name, points, labels, box, scores, masks }) => {
    const model = models.segmentation(join(root, 'sams/sam_vit_b.safetensors'));
    const ask = await model.look(picture(name));
    const hints = (points ?? []).map(([x, y], at) => ({ x, y, isInside: labels![at] === 1 }));
    const found = await ask(hints, box ?? undefined);
    found.forEach(({ score }, at) => {
      expect(score).toBeCloseTo(scores[at]!, 4);
    });
    const expected = golden(masks);
    const actual = found.flatMap(({ mask }) => [...mask.data]);
    expect(actual.length).toBe(expected.data.length);
    const wrong = actual.filter((value, at) => value !== expected.data[at]!);
    expect(wrong.length / actual.length).toBeLessThanOrEqual(1e-3);
  });

  it('encodes to 2e-5, loads by its node, and refuses other files', async () => {
    const path = join(root, 'sams/sam_vit_b.safetensors');
    const weights = models.weights(path);
    const { features } = await programs.use(
      'sam',
      () => samEncoder(weights),
      (program) => program.run({ x: networkInput(picture('wide'), 128).x }),
    );
    expect(relativeRms(features!, golden('sam.0.features'))).toBeLessThan(2e-5);
    const [sam] = await outputsOf('SAMLoader', { model_name: 'sam_vit_b.safetensors', device_mode: 'AUTO' });
    expect(sam).toHaveProperty('look');
    copyFileSync(syntheticCheckpoint('preprocessors/hed'), join(root, 'sams/hed.safetensors'));
    await expect(
      outputsOf('SAMLoader', { model_name: 'hed.safetensors', device_mode: 'CPU' }),
    ).rejects.toThrow(/is no SAM \(vit_b, vit_l, vit_h\); it looks like/);
  });
});

describe("a detector in ONNX's format", () => {
  it('gives boxes until a label is −1', async () => {
    const [detector] = (await outputsOf('ONNXDetectorProvider', { model_name: 'retinanet.onnx' })) as [
      Detector,
    ];
    const options = { threshold: 0.5, dilation: 0, cropFactor: 2, dropSize: 5 };
    const { items }: Segs = await detector.detect(image('wide'), options);
    expect(items.map(({ label, box, region }) => ({ label, box, region }))).toEqual([
      { label: '2', box: [5, 6, 40, 50], region: [0, 0, 70, 60] },
      { label: '7', box: [60, 20, 85, 55], region: [40, 0, 90, 60] },
    ]);
    const combined = await detector.detectCombined(image('wide'), 0.95, 0);
    expect(combined?.data.every((value) => value === 0)).toBe(true);
  });
});
