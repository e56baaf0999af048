import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/compute/tensor.js';
import { encodePng } from '../../../src/imaging/png.js';
import { nodeClasses } from '../../../src/nodes/index.js';
import { nodeContext } from '../../support/node-context.js';

/** What a node gives, and shows. */
function run(
  name: string,
  inputs: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, string>> = {},
) {
  const context = nodeContext({}, { receivedTypes: types });
  return nodeClasses.get(name)!.run(inputs as never, context) as {
    readonly outputs: readonly unknown[];
    readonly ui?: Readonly<Record<string, readonly unknown[]>>;
  };
}

describe("Impact's pipes", () => {
  const parts = { model: 'm', clip: 'c', vae: 'v', positive: 'p', negative: 'n' };
  const made = () => run('ToBasicPipe', parts).outputs[0];

  it('are taken apart as they were put together', () => {
    const pipe = made();
    expect(run('FromBasicPipe', { basic_pipe: pipe }).outputs).toEqual(['m', 'c', 'v', 'p', 'n']);
    expect(run('FromBasicPipe_v2', { basic_pipe: pipe }).outputs).toEqual([pipe, 'm', 'c', 'v', 'p', 'n']);
  });

  it('get other parts', () => {
    const [edited] = run('EditBasicPipe', { basic_pipe: made(), vae: 'w', negative: 'x' }).outputs;
    expect(run('FromBasicPipe', { basic_pipe: edited }).outputs).toEqual(['m', 'c', 'w', 'p', 'x']);
  });
});

describe("Impact's switches and bridges", () => {
  it('ImpactSwitch gives the input of a number, and its name in the editor', () => {
    const inputs = { select: 2, sel_mode: false, input1: 'a', input2: 'b', unique_id: '7' };
    expect(run('ImpactSwitch', inputs).outputs).toEqual(['b', 'input2', 2]);
    const nodes = [{ id: 7, inputs: [{ name: 'input2', label: 'second' }] }];
    const info = { workflow: { nodes } };
    expect(run('ImpactSwitch', { ...inputs, extra_pnginfo: info }).outputs).toEqual(['b', 'second', 2]);
    expect(run('ImpactSwitch', { ...inputs, select: 9 }).outputs).toEqual([null, '', 9]);
  });
});

describe("rgthree's values", () => {
  it('Any Switch gives the first that is something', () => {
    expect(run('Any Switch (rgthree)', { other: 1, any_01: null, any_02: 0, any_03: 'x' }).outputs).toEqual([
      0,
    ]);
    expect(run('Any Switch (rgthree)', {}).outputs).toEqual([null]);
  });

  it('Display Any writes values as Python does', () => {
    const shown = (source: unknown, type?: string) =>
      run('Display Any (rgthree)', { source }, type === undefined ? {} : { source: type }).ui!['text'];
    expect(shown(5, 'FLOAT')).toEqual(['5.0']);
    expect(shown([1, 'é', null])).toEqual(['[1, "\\u00e9", null]']);
    expect(shown(true)).toEqual(['True']);
  });

  it('Seed draws where it is asked to', () => {
    for (const seed of [-1, -2, -3]) {
      const [drawn] = run('Seed (rgthree)', { seed }).outputs as [number];
      expect(drawn).toBeGreaterThan(0);
      expect(Number.isSafeInteger(drawn)).toBe(true);
    }
  });

  it('Power Lora Loader leaves out what is off, and what is not there', () => {
    const inputs = {
      model: 'm',
      clip: 'c',
      lora_1: { on: false, lora: 'a', strength: 1 },
      lora_2: { on: true, lora: 'b', strength: 1 },
    };
    const warnings: string[] = [];
    const context = nodeContext({}, { warn: (text) => warnings.push(text) });
    const { outputs } = nodeClasses.get('Power Lora Loader (rgthree)')!.run(inputs as never, context) as {
      outputs: unknown[];
    };
    expect(outputs).toEqual(['m', 'c']);
    expect(warnings).toEqual(['there is no LoRA b: it is left out']);
  });
});

describe("WAS's texts", () => {
  it('Load Text File reads below the folders that a workflow may name, and nowhere else', async () => {
    const context = nodeContext();
    const { input, output } = context.folders;
    mkdirSync(input, { recursive: true });
    mkdirSync(output, { recursive: true });
    writeFileSync(join(input, 'notes.v1.txt'), 'a\r\n # not\n#no\nb \n');
    writeFileSync(join(output, 'made.txt'), 'c');
    writeFileSync(join(input, 'picture.png'), Uint8Array.of(0xff, 0xfe, 0xfd));
    const load = nodeClasses.get('Load Text File')!;
    const read = async (file_path: string, dictionary_name = '[filename]') =>
      ((await load.run({ file_path, dictionary_name } as never, context)) as { outputs: unknown[] }).outputs;
    expect(await read('notes.v1.txt')).toEqual(['a\nb ', { notes: ['a', 'b '] }]);
    expect(await read('input/notes.v1.txt', 'x')).toEqual(['a\nb ', { x: ['a', 'b '] }]);
    expect(await read(join(input, 'notes.v1.txt'))).toEqual(['a\nb ', { notes: ['a', 'b '] }]);
    expect(await read('output/made.txt')).toEqual(['c', { made: ['c'] }]);
    for (const elsewhere of ['/etc/hostname', '../made.txt', 'input/../../made.txt', 'none.txt', '']) {
      expect(await read(elsewhere, 'x')).toEqual(['', { x: [] }]);
    }
    await expect(read('picture.png')).rejects.toThrow("it isn't UTF-8");
  });

  it('tokens are those of one run', () => {
    const parse = (context: ReturnType<typeof nodeContext>, text: string) =>
      (nodeClasses.get('Text Parse Tokens')!.run({ text } as never, context) as { outputs: unknown[] })
        .outputs[0];
    const [one, other] = [nodeContext(), nodeContext({}, { signal: new AbortController().signal })];
    const add = { token_name: '[who.]', token_value: 'a\\\\b', print_current_tokens: 'true' };
    const added = nodeClasses.get('Text Add Token by Input')!.run(add as never, one);
    expect(added).toMatchObject({ ui: { text: [expect.stringContaining('[who.]')] } });
    nodeClasses
      .get('Text Add Tokens')!
      .run({ tokens: '[x]: y\n[z]:1', print_current_tokens: 'false' } as never, one);
    expect(parse(one, '[who.] [whox] [x][z]')).toBe('a\\b [whox] y1');
    expect(parse(other, '[who.]')).toBe('[who.]');
    expect(parse(one, '[time]')).toMatch(/^\d{10}$/);
    expect(parse(one, '[time(%Y-%m-%d %%)]')).toMatch(/^\d{4}-\d\d-\d\d %$/);
  });
});

describe('accelerators that promise the same picture', () => {
  it.each([
    ['ModelSpeedup', { model: 'm' }],
    ['VaeSpeedup', { vae: 'm' }],
    ['ControlnetSpeedup', { control_net: 'm' }],
    ['BatchSizePatcher', { model: 'm', latent_image: 'l' }],
    ['PathchSageAttentionKJ', { model: 'm', sage_attention: 'auto' }],
  ])('%s hands its model on', (name, inputs) => {
    expect(run(name, inputs).outputs).toEqual(['m']);
  });
});

describe('pictures by address', () => {
  const address = 'https://example.com/a.png';

  it('are not fetched unless that is allowed', async () => {
    const load = nodeClasses.get('LoadImageFromUrl')!;
    await expect(load.run({ image: address } as never, nodeContext())).rejects.toThrow('--allow-urls');
    for (const outside of ['file:///etc/hostname', '/view?filename=../../x.png', 'none.png']) {
      await expect(load.run({ image: outside } as never, nodeContext())).rejects.toThrow(/folder|\.png/);
    }
  });

  it('are fetched where it is, and a default stands in for one that is not there', async () => {
    const asked: string[] = [];
    const png = await encodePng(
      { width: 2, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0) },
      { compressionLevel: 1 },
    );
    const fetchFile = (url: string) => {
      asked.push(url);
      return url === address ? Promise.resolve(Buffer.from(png)) : Promise.reject(new Error('answers 404'));
    };
    const warnings: string[] = [];
    const context = nodeContext({}, { fetchFile, warn: (text) => warnings.push(text) });
    const external = nodeClasses.get('ComfyUIDeployExternalImage')!;
    const [image] = (
      (await external.run(
        { input_id: 'https://example.com/b', default_value_url: address } as never,
        context,
      )) as {
        outputs: readonly Tensor[];
      }
    ).outputs;
    expect([...image!.data]).toEqual([1, 0, 0, 0, 1, 0]);
    expect(asked).toEqual(['https://example.com/b', address]);
    expect(warnings).toEqual(['answers 404']);
    const given = { input_id: 'https://example.com/b', default_value: image };
    expect(await external.run(given as never, context)).toEqual({ outputs: [image] });
    await expect(external.run({ input_id: 'x' } as never, context)).rejects.toThrow('there is no image');
  });
});

describe("Easy-Use's pipes", () => {
  const made = () =>
    run('easy pipeIn', {
      model: 'm',
      pos: 'p',
      neg: 'n',
      latent: 'l',
      vae: 'v',
      clip: 'c',
    }) as unknown as Promise<{
      outputs: readonly unknown[];
    }>;

  it('are put together, changed and taken apart', async () => {
    const [pipe] = (await made()).outputs;
    const partsOf = (each: unknown) => run('easy pipeOut', { pipe: each }).outputs.slice(1);
    expect(partsOf(pipe)).toEqual(['m', 'p', 'n', 'l', 'v', 'c', undefined, undefined]);
    const settings = { steps: 5, cfg: 7, sampler_name: 'euler', scheduler: 'karras', denoise: 1, seed: 9n };
    const sampling = Promise.resolve(run('easy preSampling', { pipe, latent: 'k', ...settings }));
    const told = (await sampling).outputs[0];
    expect(partsOf(told)).toEqual(['m', 'p', 'n', 'k', 'v', 'c', undefined, 9n]);
    await expect(
      Promise.resolve(run('easy kSampler', { pipe, image_output: 'None', link_id: 0, save_prefix: 'x' })),
    ).rejects.toThrow('easy preSampling');
  });
});
