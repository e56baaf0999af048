import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadLatent, saveLatent } from '../../../src/nodes/latent/files.js';
import { fixture, goldenTensors } from '../../support/golden.js';
import { f32, writeSafetensors } from '../../support/models.js';
import { nodeContext, temporaryFolder } from '../../support/node-context.js';
import { differences } from '../../support/reference-values.js';

const FOLDER = fixture('nodes/latents');
const golden = goldenTensors('nodes/latents/expected.safetensors');
/** The workflow of tools/reference/latent_files.py as Python's json.dumps writes it. */
const PROMPT = '{"1": {"class_type": "EmptyLatentImage", "inputs": {"text": "caf\\u00e9 \\ud83d\\udd8c"}}}';

describe('SaveLatent', () => {
  it("writes ComfyUI's files byte for byte", async () => {
    const context = nodeContext({}, { metadata: { prompt: PROMPT } });
    const inputs = { samples: { samples: golden('saved') }, filename_prefix: 'latents/ComfyUI' };
    const { ui } = await saveLatent.run(inputs, context);
    const [file] = ui?.latents ?? [];
    expect(file).toMatchObject({ filename: 'ComfyUI_00001_.latent', subfolder: 'latents', type: 'output' });
    expect(readFileSync(file!.path).equals(readFileSync(join(FOLDER, 'saved.latent')))).toBe(true);
  });

  it('makes what LoadLatent loads from the output folder', async () => {
    const context = nodeContext();
    const samples = golden('half');
    await saveLatent.run({ samples: { samples }, filename_prefix: 'a' }, context);
    const { outputs } = await loadLatent.run({ latent: 'a_00001_.latent [output]' }, context);
    expect(differences(outputs[0], { samples }, 0)).toEqual([]);
  });
});

describe('LoadLatent', () => {
  it.each(['saved', 'unversioned', 'half'])("loads %s.latent as ComfyUI's does", async (name) => {
    const { outputs } = await loadLatent.run({ latent: `${name}.latent` }, nodeContext({ input: FOLDER }));
    expect(differences(outputs[0], { samples: golden(name) }, 0)).toEqual([]);
  });

  it('lists and watches the input folder', () => {
    const input = temporaryFolder();
    const { folders } = nodeContext({ input });
    for (const name of ['b.latent', 'a.latent', 'c.png']) writeFileSync(join(input, name), name);
    const { options } = loadLatent.required.latent;
    expect(typeof options === 'function' ? options(folders) : options).toEqual(['a.latent', 'b.latent']);
    const before = loadLatent.fingerprint?.({ latent: 'a.latent' }, folders);
    copyFileSync(join(input, 'b.latent'), join(input, 'a.latent'));
    expect(loadLatent.fingerprint?.({ latent: 'a.latent' }, folders)).not.toBe(before);
  });

  it('says what is wrong with a file', async () => {
    const input = temporaryFolder();
    mkdirSync(input, { recursive: true });
    const load = async (name: string) => loadLatent.run({ latent: name }, nodeContext({ input }));
    writeSafetensors(join(input, 'a.latent'), { latent: f32([1], [0]) });
    await expect(load('a.latent')).rejects.toThrow(/a\.latent is no latent: it has no latent_tensor/);
    const bytes = { dtype: 'C64', shape: [1], bytes: new Uint8Array(8) } as const;
    writeSafetensors(join(input, 'b.latent'), { latent_tensor: bytes });
    await expect(load('b.latent')).rejects.toThrow(/its latent_tensor is of type C64/);
    writeFileSync(join(input, 'c.latent'), 'short');
    await expect(load('c.latent')).rejects.toThrow(/c\.latent/);
  });
});
