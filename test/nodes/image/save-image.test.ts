import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/compute/tensor.js';
import { chunksOf } from '../../../src/imaging/png.js';
import { loadImage } from '../../../src/nodes/image/load-image.js';
import { previewImage, saveImage } from '../../../src/nodes/image/save-image.js';
import { fixture } from '../../support/golden.js';
import { nodeContext, temporaryFolder } from '../../support/node-context.js';

/** Values that show how bytes are rounded (tools/reference/png_text.py). */
const VALUES = [-0.5, 0, 0.001, 0.0039215, 0.0039216, 0.3, 0.49999, 0.5, 0.7, 0.999, 1, 1.5];
const METADATA = {
  prompt: '{"1": {"class_type": "SaveImage"}}',
  workflow: 'café ÿ',
  note: '繊細 — 🖌',
};
const image = tensor([1, 2, 2, 3], Float32Array.from(VALUES));
const batch = (count: number) => tensor([count, 2, 2, 3]);

async function save(prefix: string, images = image, context = nodeContext()) {
  const { ui } = await saveImage.run({ images, filename_prefix: prefix }, context);
  return ui?.images ?? [];
}

describe('a saved PNG', () => {
  it("holds the same pixels and texts as Pillow's", async () => {
    const [file] = await save('ComfyUI', image, nodeContext({}, { metadata: METADATA }));
    const ours = readFileSync(file!.path);
    const theirs = readFileSync(fixture('imaging/pillow.png'));
    const pixels = async (png: Buffer) => [...(await sharp(png).raw().toBuffer())];
    expect(await pixels(ours)).toEqual(await pixels(theirs));
    const outline = (png: Buffer) =>
      chunksOf(png).map(({ type, bytes }) => (type === 'IDAT' ? type : bytes.toString('hex')));
    expect(outline(ours)).toEqual(outline(theirs));
  });

  it('keeps an alpha channel', async () => {
    const [file] = await save('x', tensor([1, 1, 2, 4], Float32Array.of(1, 0.5, 0, 0, 0.2, 0.4, 0.6, 1)));
    const { data, info } = await sharp(file!.path).raw().toBuffer({ resolveWithObject: true });
    expect([info.channels, ...data]).toEqual([4, 255, 127, 0, 0, 51, 102, 153, 255]);
  });

  it('is refused for images that are neither RGB nor RGBA', async () => {
    await expect(save('x', tensor([1, 2, 2, 1]))).rejects.toThrow(/image of 1 channels can't be saved/);
  });

  it('is read back by LoadImage', async () => {
    const context = nodeContext();
    const [file] = await save('a/b', image, context);
    const { outputs } = await loadImage.run(
      { image: `${file!.subfolder}/${file!.filename} [output]` },
      context,
    );
    const bytes = [...outputs[0].data].map((value) => Math.round(value * 255));
    expect(bytes).toEqual([0, 0, 0, 0, 1, 76, 127, 127, 178, 254, 255, 255]);
  });
});

describe('file names', () => {
  it('are numbered on from what is there, whatever its extension', async () => {
    const output = temporaryFolder();
    const context = nodeContext({ output });
    for (const name of [
      'x_00007_.png',
      'x_00012_.latent',
      'x_y_00099_.png',
      'x_99',
      'xx_00500_.png',
      'x_1e3_',
    ]) {
      writeFileSync(join(output, name), '');
    }
    const files = await save('x', batch(2), context);
    expect(files.map(({ filename }) => filename)).toEqual(['x_00100_.png', 'x_00101_.png']);
    expect((await save('x_y', batch(1), context))[0]?.filename).toBe('x_y_00100_.png');
  });

  it('begin with 1 in a folder of their own', async () => {
    const context = nodeContext();
    const [file] = await save('art/knight/front', image, context);
    expect(file).toEqual({
      filename: 'front_00001_.png',
      subfolder: 'art/knight',
      type: 'output',
      path: join(context.folders.output, 'art/knight/front_00001_.png'),
    });
    expect(existsSync(file!.path)).toBe(true);
  });

  it('hold size, time and place in the batch', async () => {
    const context = nodeContext();
    const images = tensor([2, 2, 5, 3]);
    const before = new Date();
    const files = await save(
      '%year%-%month%-%day%/%width%x%height%_%batch_num%_%hour%%minute%%second%',
      images,
      context,
    );
    const two = (value: number) => String(value).padStart(2, '0');
    const day = `${before.getFullYear()}-${two(before.getMonth() + 1)}-${two(before.getDate())}`;
    expect(files.map(({ subfolder }) => subfolder)).toEqual([day, day]);
    expect(files[0]?.filename).toMatch(/^5x2_0_[0-2]\d[0-5]\d[0-5]\d_00001_\.png$/);
    expect(files[1]?.filename).toMatch(/^5x2_1_[0-2]\d[0-5]\d[0-5]\d_00002_\.png$/);
  });

  it('are never taken twice by writers at the same time', async () => {
    const context = nodeContext();
    const saved = await Promise.all(Array.from({ length: 6 }, () => save('same', batch(3), context)));
    const names = saved.flat().map(({ filename }) => filename);
    expect(new Set(names).size).toBe(18);
    expect(readdirSync(context.folders.output).sort()).toEqual([...names].sort());
  });

  it.each(['../x', '/tmp/x', 'a/../../x', 'a\0b'])(
    'never lead out of the output folder: %j',
    async (prefix) => {
      await expect(save(prefix)).rejects.toThrow(/leads out of the output folder; give a name/);
    },
  );

  it('never follow a link out of the output folder', async () => {
    const [output, elsewhere] = [temporaryFolder(), temporaryFolder()];
    const context = nodeContext({ output });
    symlinkSync(elsewhere, join(output, 'away'));
    await expect(save('away/x', image, context)).rejects.toThrow(/leads out of the output folder/);
    await expect(save('away/deeper/x', image, context)).rejects.toThrow(/leads out of the output folder/);
    expect(readdirSync(elsewhere)).toEqual([]);
    symlinkSync(join(elsewhere, 'victim.png'), join(output, 'y_00001_.png'));
    expect((await save('y', image, context))[0]?.filename).toBe('y_00002_.png');
  });

  it('may go through an output folder that is a link itself', async () => {
    const [root, elsewhere] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(elsewhere, join(root, 'output'));
    await save('x', image, nodeContext({ output: join(root, 'output') }));
    expect(readdirSync(elsewhere)).toEqual(['x_00001_.png']);
  });

  it('stay whole when the job is cancelled between two images', async () => {
    const context = nodeContext({}, { signal: AbortSignal.abort() });
    mkdirSync(context.folders.output, { recursive: true });
    await expect(save('x', batch(2), context)).rejects.toThrow();
    expect(readdirSync(context.folders.output)).toEqual([]);
  });
});

describe('previews', () => {
  it('go to the temp folder under a name of their own', async () => {
    const context = nodeContext({}, { metadata: METADATA });
    const { ui } = await previewImage.run({ images: batch(2) }, context);
    const [first, second] = ui?.images ?? [];
    expect(first?.type).toBe('temp');
    expect(first?.filename).toMatch(/^ComfyUI_temp_[a-z]{5}_00001_\.png$/);
    expect(second?.filename).toBe(first?.filename.replace('00001', '00002'));
    expect(first?.path.startsWith(context.folders.temp)).toBe(true);
  });
});
