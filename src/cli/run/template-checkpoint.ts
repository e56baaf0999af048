/** Which checkpoint a template runs with where the one that it names isn't there. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResolvedSettings } from '../../config/settings.js';
import type { Folders } from '../../models/folders.js';
import { mapInputs } from '../../templates/edit-workflow.js';
import type { Workflow } from '../../workflow/parse.js';
import { formatBytes, report } from '../terminal.js';

/** What the shipped templates name, as DGX-Pixels' do. */
const NAMED_BY_TEMPLATES = 'sd_xl_base_1.0.safetensors';
const SYNTHETIC = 'latentd-synthetic-tiny.safetensors';
/** Three folders below the package's root from both src/cli/run and dist/cli/run. */
const MANIFEST = fileURLToPath(new URL('../../../data/synthetic-sdxl-tiny.json', import.meta.url));

/**
 * Where a template names SDXL's base checkpoint and it isn't there, puts in one that is, and says so. Where there is none at
 * all in the default models folder, the tiny synthetic one is written first; a models folder that the user named is never
 * written to.
 */
export async function useAvailableCheckpoint(
  workflow: Workflow,
  folders: Folders,
  settings: ResolvedSettings,
): Promise<Workflow> {
  const wanted = [...workflow.nodes.values()].some(
    (node) => node.inputs.get('ckpt_name') === NAMED_BY_TEMPLATES,
  );
  if (!wanted || folders.list('checkpoints').includes(NAMED_BY_TEMPLATES)) return workflow;
  let name = await chooseCheckpoint(folders);
  if (name === undefined && settings.models.source === 'default') {
    name = SYNTHETIC;
    await writeSynthetic(join(settings.models.value, 'checkpoints'));
  } else if (name !== undefined) {
    report(
      `${NAMED_BY_TEMPLATES} isn't there, so the template runs with ${name} (--checkpoint NAME takes another)`,
    );
    if (name === SYNTHETIC) report(NOISE);
  }
  if (name === undefined) {
    report(
      `Put an SDXL checkpoint into ${join(settings.models.value, 'checkpoints')}; the template takes any.`,
    );
    return workflow;
  }
  const chosen = name;
  return mapInputs(workflow, (value, input) => {
    if (input === 'ckpt_name' && value === NAMED_BY_TEMPLATES) return chosen;
    const isSide = input === 'width' || input === 'height';
    return chosen === SYNTHETIC && isSide && typeof value === 'bigint' ? NOISE_SIDE : value;
  });
}

/** Noise needs no large canvas, and someone who tries the first command should not wait for one. */
const NOISE_SIDE = 256n;

const NOISE =
  'Its weights are synthetic, so the picture will be small and look like noise: it shows that everything works, no more.';

/** The first SDXL checkpoint by name; failing that the first one, of any family, that draws from text alone. */
async function chooseCheckpoint(folders: Folders): Promise<string | undefined> {
  const { inspectModel } = await import('../inspect-model.js');
  let second: string | undefined;
  for (const name of folders.list('checkpoints')) {
    if (name === SYNTHETIC) continue;
    const { family } = inspectModel(folders, 'checkpoints', name);
    if (family === undefined || family.includes('inpainting') || family.includes('refiner')) continue;
    if (family.startsWith('sdxl')) return name;
    second ??= name;
  }
  return second ?? (folders.list('checkpoints').includes(SYNTHETIC) ? SYNTHETIC : undefined);
}

async function writeSynthetic(folder: string): Promise<void> {
  const { readManifest, writeSyntheticCheckpoint } = await import('../../models/synthetic.js');
  const path = join(folder, SYNTHETIC);
  mkdirSync(folder, { recursive: true });
  writeSyntheticCheckpoint(readManifest(MANIFEST), path);
  report(
    `There is no checkpoint yet, so a tiny one was written: ${path} (${formatBytes(statSync(path).size)}).`,
  );
  report(NOISE);
  report(`Put an SDXL checkpoint beside it, and the same command uses that one.`);
}
