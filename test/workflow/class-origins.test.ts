import { expect, test } from 'vitest';
import { describeOrigin, packOf } from '../../src/workflow/class-origins.js';

test('the pack of a class, by its name or by how that pack names its own', () => {
  expect(packOf('IPAdapterAdvanced')?.repository).toBe('cubiq/ComfyUI_IPAdapter_plus');
  expect(packOf('FaceDetailer')?.repository).toBe('ltdrdata/ComfyUI-Impact-Pack');
  expect(packOf('Something New (rgthree)')?.repository).toBe('rgthree/rgthree-comfy');
  expect(packOf('KSampler')?.repository).toBe('comfyanonymous/ComfyUI');
  expect(packOf('nobody has this')).toBeUndefined();
  expect(packOf('x'.repeat(100_000))).toBeUndefined();
});

test('what of the pack there is', () => {
  const says = (has: readonly string[]) => describeOrigin('FaceDetailer', (name) => has.includes(name));
  expect(says([])).toBe(
    'it is of ComfyUI Impact Pack (github.com/ltdrdata/ComfyUI-Impact-Pack); latentd has none of it',
  );
  expect(says(['SAMLoader', 'ToBasicPipe'])).toMatch(/; of it, latentd has SAMLoader, ToBasicPipe$/);
  expect(describeOrigin('CLIPTextEncode', () => false)).toBe('it is of ComfyUI itself, and latentd lacks it');
  expect(describeOrigin('nobody has this', () => false)).toBeUndefined();
});
