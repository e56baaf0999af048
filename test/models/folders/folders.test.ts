import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readExtraModelPaths } from '../../../src/models/folders/extra-model-paths.js';
import { createFolders, type Folders } from '../../../src/models/folders/folders.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'latentd-folders-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), '');
  }
}

function folders(extra?: string): Folders {
  return createFolders({
    models: join(root, 'models'),
    input: join(root, 'input'),
    output: join(root, 'output'),
    temp: join(root, 'temp'),
    ...(extra === undefined ? {} : { extra: readExtraModelPaths(join(root, extra)) }),
  });
}

describe('listing', () => {
  test('names are relative, sorted by code unit, and only those of loadable files', () => {
    put(
      'models/checkpoints/b.safetensors',
      'models/checkpoints/sub/deep/a.sft',
      'models/checkpoints/old.ckpt',
    );
    put(
      'models/checkpoints/B.SAFETENSORS',
      'models/checkpoints/.git/x.safetensors',
      'models/checkpoints/notes.txt',
    );
    expect(folders().list('checkpoints')).toEqual([
      'B.SAFETENSORS',
      'b.safetensors',
      'old.ckpt',
      'sub/deep/a.sft',
    ]);
  });

  test('a models folder that is not there is empty', () => {
    expect(folders().list('loras')).toEqual([]);
  });

  test('files that come and go are seen', () => {
    const under = folders();
    expect(under.list('vae')).toEqual([]);
    put('models/vae/one.safetensors');
    expect(under.list('vae')).toEqual(['one.safetensors']);
    put('models/vae/sub/two.safetensors');
    expect(under.list('vae')).toEqual(['one.safetensors', 'sub/two.safetensors']);
    rmSync(join(root, 'models/vae/sub/two.safetensors'));
    expect(under.list('vae')).toEqual(['one.safetensors']);
  });

  test('controlnet has two folders, of which the first wins', () => {
    put(
      'models/controlnet/x.safetensors',
      'models/t2i_adapter/x.safetensors',
      'models/t2i_adapter/y.safetensors',
    );
    expect(folders().list('controlnet')).toEqual(['x.safetensors', 'y.safetensors']);
    expect(folders().resolve('controlnet', 'x.safetensors')).toBe(
      join(root, 'models/controlnet/x.safetensors'),
    );
  });

  test('symbolic links to files and folders are followed, broken and circular ones are not', () => {
    put('store/blob', 'store/more/m.safetensors', 'models/checkpoints/here.safetensors');
    const checkpoints = join(root, 'models/checkpoints');
    symlinkSync(join(root, 'store/blob'), join(checkpoints, 'linked.safetensors'));
    symlinkSync(join(root, 'store/more'), join(checkpoints, 'more'));
    symlinkSync(join(root, 'nowhere'), join(checkpoints, 'broken.safetensors'));
    symlinkSync(checkpoints, join(checkpoints, 'more-of-me'));
    expect(folders().list('checkpoints')).toEqual([
      'here.safetensors',
      'linked.safetensors',
      'more/m.safetensors',
    ]);
    expect(folders().resolve('checkpoints', 'linked.safetensors')).toBe(
      join(checkpoints, 'linked.safetensors'),
    );
  });
});

describe('resolving model names', () => {
  test('a name may lack its extension', () => {
    put('models/loras/style.v1.safetensors');
    const path = join(root, 'models/loras/style.v1.safetensors');
    expect(folders().resolve('loras', 'style.v1.safetensors')).toBe(path);
    expect(folders().resolve('loras', 'style.v1')).toBe(path);
    expect(() => folders().resolve('loras', 'style')).toThrow('nearest: "style.v1.safetensors"');
  });

  test('a name with the slashes of Windows finds its file', () => {
    put('models/checkpoints/SDXL/base.safetensors', 'models/checkpoints/odd\\name.safetensors');
    const path = join(root, 'models/checkpoints/SDXL/base.safetensors');
    expect(folders().resolve('checkpoints', 'SDXL\\base.safetensors')).toBe(path);
    expect(folders().resolve('checkpoints', 'SDXL\\base')).toBe(path);
    // A file may have one in its name here.
    expect(folders().resolve('checkpoints', 'odd\\name.safetensors')).toMatch(/odd\\name\.safetensors$/);
  });

  test('a missing name is answered with the folder and the nearest names', () => {
    put('models/checkpoints/sd_xl_base_1.0.safetensors', 'models/checkpoints/v1-5-pruned.safetensors');
    expect(() => folders().resolve('checkpoints', 'sdxl_base_1.0.safetensors')).toThrow(
      `no checkpoints file "sdxl_base_1.0.safetensors" in ${join(root, 'models/checkpoints')}; nearest: "sd_xl_base_1.0.safetensors"`,
    );
    expect(() => folders().resolve('vae', 'x.safetensors')).toThrow('there are no model files in');
  });

  test.each(['../secret.safetensors', '/etc/passwd', 'a/../../b', 'a\\..\\b', '', 'a\0b'])(
    'the name %j leads out',
    (name) => {
      put('secret.safetensors');
      expect(() => folders().resolve('checkpoints', name)).toThrow('leads out of the checkpoints folder');
    },
  );
});

describe('input files', () => {
  test('are listed without folders and resolved below them', () => {
    put('input/b.png', 'input/a.png', 'input/sub/c.png');
    expect(folders().listInput()).toEqual(['a.png', 'b.png']);
    expect(folders().resolveInput('sub/c.png')).toBe(join(root, 'input/sub/c.png'));
  });

  test('the annotation picks the folder', () => {
    put('output/x_00001_.png', 'temp/t.png', 'input/i.png', 'input/odd [name].png');
    expect(folders().resolveInput('x_00001_.png [output]')).toBe(join(root, 'output/x_00001_.png'));
    expect(folders().resolveInput('t.png [temp]')).toBe(join(root, 'temp/t.png'));
    expect(folders().resolveInput('i.png [input]')).toBe(join(root, 'input/i.png'));
    expect(folders().resolveInput('odd [name].png')).toBe(join(root, 'input/odd [name].png'));
  });

  test('a missing one is answered with the nearest names', () => {
    put('input/hero.png');
    expect(() => folders().resolveInput('heroe.png')).toThrow('nearest: "hero.png"');
    expect(() => folders().resolveInput('x.png [output]')).toThrow('in the output folder');
    expect(() => folders().resolveInput('sub')).toThrow('no file "sub"');
  });

  test.each(['../x.png', '/etc/passwd', '../output/x.png [output]'])('%j leads out', (name) => {
    expect(() => folders().resolveInput(name)).toThrow('leads out of the');
  });
});

describe('extra_model_paths.yaml', () => {
  const yaml = (text: string) => {
    writeFileSync(join(root, 'extra_model_paths.yaml'), text);
    return folders('extra_model_paths.yaml');
  };

  test('several folders of a kind, relative to base_path and to the file', () => {
    put('ui/models/Lora/l.safetensors', 'ui/models/LyCORIS/y.safetensors', 'own/v.safetensors');
    const under = yaml(
      'a111:\n  base_path: ui\n  custom_nodes: nodes\n  loras: |\n    models/Lora\n    models/LyCORIS\nother:\n  vae: own/\nempty:\n',
    );
    expect(under.list('loras')).toEqual(['l.safetensors', 'y.safetensors']);
    expect(under.resolve('loras', 'y.safetensors')).toBe(join(root, 'ui/models/LyCORIS/y.safetensors'));
    expect(under.list('vae')).toEqual(['v.safetensors']);
  });

  test('the models folder comes first, but for a default section', () => {
    put('models/vae/v.safetensors', 'one/v.safetensors', 'two/v.safetensors');
    expect(yaml('x:\n  vae: one\n').resolve('vae', 'v')).toBe(join(root, 'models/vae/v.safetensors'));
    expect(yaml('x:\n  is_default: true\n  vae: |\n    one\n    two\n').resolve('vae', 'v')).toBe(
      join(root, 'two/v.safetensors'),
    );
  });

  test('variables and absolute paths', () => {
    vi.stubEnv('LATENTD_TEST_ROOT', root);
    put('base/x.safetensors', 'far/y.safetensors');
    expect(yaml('x:\n  base_path: ${LATENTD_TEST_ROOT}\n  loras: base\n').list('loras')).toEqual([
      'x.safetensors',
    ]);
    expect(yaml(`x:\n  base_path: nowhere\n  loras: ${root}/far\n`).list('loras')).toEqual(['y.safetensors']);
  });

  test.each([
    ['x: [1', 'is no valid YAML'],
    ['- a\n- b', 'the file must be a mapping of names, not a list'],
    ['x: 3', 'x must be a mapping of names, not 3'],
    ['x:\n  loras:\n    - a\n', 'x.loras must be one folder a line (a text after "|"), not a list'],
    ['x:\n  base_path: 3\n', 'x.base_path must be a path, not 3'],
  ])('%j is answered with what is wrong', (text, message) => {
    expect(() => yaml(text)).toThrow(message);
  });
});
