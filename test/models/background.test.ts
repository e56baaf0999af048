/** Foreign models through their one door, and the backgrounds that rembg's take away. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { createForeignModels } from '../../src/models/onnx/foreign-model.js';
import type { ModelStore } from '../../src/models/model-store.js';
import type { RunContext } from '../../src/nodes/context.js';
import { nodeClasses } from '../../src/nodes/index.js';
import { fixture, goldenTensors } from '../support/golden.js';
import { nodeContext, temporaryFolder } from '../support/node-context.js';

const golden = goldenTensors('onnx/rembg.safetensors');
const onnx = createForeignModels();

function picture(): Tensor {
  const bytes = golden('picture');
  return tensor(
    [1, ...bytes.shape],
    bytes.data.map((value) => value / 255),
  );
}

/** A context whose models folder holds the fixtures. */
function context(): RunContext {
  const models = temporaryFolder();
  mkdirSync(join(models, 'rembg'));
  copyFileSync(fixture('onnx/u2net.onnx'), join(models, 'rembg/u2net.onnx'));
  const folders = createFolders({ models, input: models, output: models, temp: models });
  return { ...nodeContext(), folders, models: { onnx } as ModelStore };
}

async function run(name: string, inputs: object, place = context()): Promise<readonly unknown[]> {
  const { outputs } = (await nodeClasses.get(name)!.run(inputs as never, place)) as {
    readonly outputs: readonly unknown[];
  };
  return outputs;
}

function expectBytes(actual: Tensor, expected: Tensor): void {
  expect(actual.shape.slice(1)).toEqual(expected.shape);
  const errors = expected.data.map((value, at) => Math.abs(Math.round(actual.data[at]! * 255) - value));
  expect(errors.filter((error) => error > 1).length / errors.length).toBeLessThanOrEqual(1e-3);
}

describe("backgrounds go as rembg's do", () => {
  it('cuts out what stands before them', async () => {
    const [name, model] = ['u2net', 'u2net: general purpose'];
    const place = context();
    const [session] = await run('RemBGSession+', { model, providers: 'CUDA' }, place);
    const [cut, mask] = (await run(
      'ImageRemoveBackground+',
      { rembg_session: session, image: picture() },
      place,
    )) as [Tensor, Tensor];
    expectBytes(cut, golden(`${name}.cut`));
    expect(mask.data[77]).toBe(cut.data[4 * 77 + 3]);
  });

  it('puts a colour behind', async () => {
    const wanted = { model: 'u2net', transparency: false, background_color: 'chroma green' };
    const [image] = (await run('Image Rembg (Remove Background)', { ...wanted, images: picture() })) as [
      Tensor,
    ];
    expectBytes(image, golden('u2net.green'));
  });

  it('names what is missing', async () => {
    await expect(run('RemBGSession+', { model: 'u2netp: lightweight general purpose' })).rejects.toThrow(
      /no rembg file "u2netp\.onnx"/,
    );
    await expect(run('RemBGSession+', { model: 'sam: general purpose' })).rejects.toThrow(/sam isn't there/);
  });
});

describe('foreign models', () => {
  const x = tensor([1, 3, 4, 4]);

  it.each([
    ['outside', /keeps its weights in other files/],
    ['whole-numbers', /the output y isn't of float32 or int32/],
    ['foreign-operator', /can't be run by ONNX Runtime/],
  ])('%s is refused', async (name, reason) => {
    await expect(onnx(fixture(`onnx/${name}.onnx`)).run(x)).rejects.toThrow(reason);
  });

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, 700)],
    ['rubbish', () => Uint8Array.from({ length: 300 }, (_, at) => (at * 77) % 256)],
    ['empty', () => new Uint8Array()],
  ])('a file that is %s is refused', async (_, change) => {
    const path = join(temporaryFolder(), 'bad.onnx');
    writeFileSync(path, change(readFileSync(fixture('onnx/u2net.onnx'))));
    await expect(onnx(path).run(x)).rejects.toThrow(/bad\.onnx can't be run/);
  });

  it('a picture of another size is refused', async () => {
    await expect(onnx(fixture('onnx/u2net.onnx')).run(x)).rejects.toThrow(/u2net\.onnx can't be run/);
  });

  it('one that goes on is given up in time, or when the job is cancelled', async () => {
    const endless = onnx(fixture('onnx/endless.onnx'));
    await expect(endless.run(x, { seconds: 0.05 })).rejects.toThrow(/given up after 0\.05 seconds/);
    const controller = new AbortController();
    const running = endless.run(x, { signal: controller.signal });
    setTimeout(() => {
      controller.abort(new Error('cancelled'));
    }, 20);
    await expect(running).rejects.toThrow('cancelled');
  });
});
