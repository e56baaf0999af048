/** The names that a shell completes: of models, workflows, inputs of a workflow's nodes, and the daemon's jobs. */
import { readdirSync } from 'node:fs';
import { settingValues } from '../../config/resolve-settings.js';
import { SHIPPED_GRAPHS, type Settings } from '../../config/settings.js';
import { MODEL_KINDS } from '../../models/folders/model-folders.js';
import type { NameKind } from './name-kinds.js';
import { settingsFrom } from '../setting-options.js';

/**
 * One name each. `words` is what the kind is asked of: a kind of models; or the command line, in which the first word that leads to a
 * workflow counts. Nothing where there is nothing: a shell that completes has no use for errors.
 */
export async function names(kind: NameKind, words: readonly string[]): Promise<readonly string[]> {
  try {
    const found = await NAMES[kind](words, settingValues((await settingsFrom({})).settings));
    // A shell reads lines.
    return found.filter((name) => !/\p{Cc}/u.test(name));
  } catch {
    return [];
  }
}

const NAMES: Readonly<
  Record<NameKind, (words: readonly string[], settings: Settings) => Promise<readonly string[]>>
> = {
  async models([wanted], settings) {
    const kind = MODEL_KINDS.find((one) => one === wanted);
    if (kind === undefined) return [];
    const { openFolders } = await import('../open-folders.js');
    return (await openFolders(settings)).list(kind);
  },
  workflows(_, { graphs }) {
    const files = [graphs, SHIPPED_GRAPHS].flatMap((folder) => listed(folder));
    return Promise.resolve([
      ...new Set(
        files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length)),
      ),
    ]);
  },
  async inputs(words, { graphs }) {
    const { readWorkflow } = await import('../run/read-workflow.js');
    const { parseWorkflow } = await import('../../workflow/parse.js');
    const { isLink } = await import('../../templates/links.js');
    for (const word of words) {
      if (word.startsWith('-')) continue;
      try {
        const { nodes } = parseWorkflow((await readWorkflow(word, graphs)).text);
        return [...nodes.values()].flatMap(({ id, title, inputs }) =>
          [id, ...(title === undefined ? [] : [title])].flatMap((node) =>
            [...inputs].flatMap(([input, value]) => (isLink(value) ? [] : [`${node}.${input}=`])),
          ),
        );
      } catch {
        // No workflow, but a word of the command line.
      }
    }
    return [];
  },
  async jobs() {
    const { Connection } = await import('../client/connection.js');
    const { listJobs } = await import('../client/list-jobs.js');
    const connection = await Connection.open({}, { timeoutMs: 1000 });
    return (await listJobs(connection, { which: 'all', limit: 50 })).jobs.map(({ job_id }) => job_id);
  },
};

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
