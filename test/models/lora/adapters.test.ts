import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/compute/tensor.js';
import { readChanges } from '../../../src/models/lora/changes.js';
import { LoraFile } from '../../../src/models/lora/lora-file.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { underPrefix } from '../../../src/models/weights/weight-views.js';
import { fixture, relativeRms } from '../../support/golden.js';
import { referenceCases } from '../../support/reference-cases.js';

interface AdapterCase {
  readonly name: string;
  readonly strength: number;
  readonly expected: readonly string[];
}

const file = 'lora/adapters.safetensors';
const { cases, tensor: golden } = referenceCases<AdapterCase>(file);
const weights = safetensorsWeights(openSafetensors(fixture(file)));
const keyMap = new Map([['x', { part: 'unet', key: 'layer.weight' } as const]]);

describe('a LoRA file’s changes', () => {
  it.each(cases.map((item) => [`${item.name}, strength ${item.strength}`, item] as const))(
    'are ComfyUI’s: %s',
    (_, { name, strength, expected }) => {
      const lora = new LoraFile(underPrefix(weights, `${name}/lora/`));
      const changes = [...readChanges(lora, keyMap)];
      expect(changes.map(({ target }) => target.key).sort()).toEqual([...expected].sort());
      for (const { target, adapter } of changes) {
        const wanted = golden(`${name}/${strength.toFixed(1)}/${target.key}`);
        const values = tensor(wanted.shape);
        if (target.key === 'layer.weight') values.data.set(golden(`${name}/weight`).data);
        expect(adapter.mismatch(wanted.shape)).toBeUndefined();
        adapter.apply(values.data, wanted.shape, strength);
        expect(relativeRms(values, wanted)).toBeLessThan(3e-7);
      }
      if (name !== 'last wins') expect(lora.untaken()).toEqual([]);
    },
  );

  it.each(['lora conv', 'locon tucker', 'loha tucker', 'lokr conv', 'glora', 'oft', 'difference'])(
    'say why they fit no other weight: %s',
    (name) => {
      const lora = new LoraFile(underPrefix(weights, `${name}/lora/`));
      const [change] = readChanges(lora, keyMap);
      expect(change?.adapter.mismatch([25, 7, 3, 3])).toMatch(/it (is|has)/);
    },
  );
});
