import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { buffer as readAll } from 'node:stream/consumers';
import { SHIPPED_GRAPHS } from '../../config/settings.js';
import { WorkflowError } from '../../workflow/faults.js';
import { workflowFileText, workflowText } from '../../workflow/file-text.js';
import { UsageError } from '../exit-codes.js';

export interface WorkflowFile {
  /** Its JSON text; of a picture, that of the workflow which it carries. */
  readonly text: string;
  /** It is one of the templates: it lies in the graphs folder, or in the package's own. */
  readonly isTemplate: boolean;
}

/** Reads the workflow that the command line names: a file, a template by name alone, or `-`. Throws `UsageError` or `WorkflowError`. */
export async function readWorkflow(named: string, graphs: string): Promise<WorkflowFile> {
  if (named === '-') return { text: workflowText(await readAll(process.stdin)), isTemplate: false };
  const file = findFile(named, graphs);
  try {
    const folder = realpathSync(dirname(file));
    const isTemplate = [graphs, SHIPPED_GRAPHS].some(
      (place) => existsSync(place) && realpathSync(place) === folder,
    );
    return { text: workflowFileText(file), isTemplate };
  } catch (error) {
    if (error instanceof WorkflowError) throw error;
    throw new UsageError(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function findFile(named: string, graphs: string): string {
  const file = resolve(named);
  if (existsSync(file)) return file;
  const template = join(graphs, named.endsWith('.json') ? named : `${named}.json`);
  if (basename(named) === named && existsSync(template)) return template;
  throw new UsageError(`there is no workflow ${file}`);
}
