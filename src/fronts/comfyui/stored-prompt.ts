/** Jobs as ComfyUI's queue and history show them, as JSON texts: integers of a workflow keep all their digits. */
import type { NodeOutput } from '../../engine-process/messages.js';
import type { JobMetadata, StoredJob } from '../../jobs/job.js';
import type { PromptReading } from '../checker-worker.js';
import { endMessages, idsOf, type ComfyMessage } from './messages.js';

/** What is kept with a job, to find the parts of its task's text again. */
export function promptMetadata({ prompt, extraData, outputs }: PromptReading): JobMetadata {
  return { prompt, extraData, outputs };
}

export interface StoredPrompt {
  /** JSON texts. */
  readonly prompt: string;
  readonly extraData: string;
  /** Ids of output nodes. */
  readonly outputs: readonly string[];
}

/** Of a job of any front: those of others have a workflow and no more. */
export function storedPrompt({ task, metadata, client, acceptedAt }: StoredJob): StoredPrompt {
  const { prompt, extraData, outputs } = metadata as Partial<
    Pick<PromptReading, 'prompt' | 'extraData' | 'outputs'>
  >;
  if (client.front === 'comfyui' && task !== undefined && prompt !== undefined && extraData !== undefined) {
    return {
      prompt: task.workflow.slice(...prompt),
      extraData: task.workflow.slice(...extraData),
      outputs: outputs ?? [],
    };
  }
  return {
    prompt: task?.workflow ?? '{}',
    extraData: JSON.stringify({ create_time: acceptedAt }),
    outputs: [],
  };
}

/** `[number, id, prompt, extra_data, outputs]` */
export function queueEntry(job: StoredJob): string {
  const { prompt, extraData, outputs } = storedPrompt(job);
  const { id, place } = job;
  return `[${place}, ${JSON.stringify(id)}, ${prompt}, ${extraData}, ${JSON.stringify(outputs)}]`;
}

export type StatusMessage = readonly [type: string, data: ComfyMessage['data']];

/** How a job ended. Undefined while it waits or runs, and for one that was taken out of the queue: ComfyUI forgets these. */
export function historyStatus(job: StoredJob) {
  const { outcome, startedAt } = job;
  if (outcome === undefined || (outcome.state === 'cancelled' && startedAt === undefined)) return undefined;
  const completed = outcome.state === 'completed';
  const messages = endMessages(job).map(({ type, data }): StatusMessage => [type, data]);
  return { status_str: completed ? 'success' : 'error', completed, messages } as const;
}

/** What nodes saved and showed, by node. */
export function outputsByNode(
  outputs: readonly NodeOutput[],
): Readonly<Record<string, Readonly<Record<string, unknown[]>>>> {
  const nodes: Record<string, Record<string, unknown[]>> = {};
  for (const { node = 'sheet', ui } of outputs) {
    const shown = Object.entries(shownUi(ui));
    if (shown.length === 0) continue;
    const lists = (nodes[node] ??= {});
    for (const [kind, items] of shown) (lists[kind] ??= []).push(...items);
  }
  return nodes;
}

/** What SaveImageWebsocket hands over its socket and lists nowhere. */
const HANDED = 'websocket_images';

/** The paths of those pictures. */
export function handedPictures(ui: NodeOutput['ui'] | undefined): readonly string[] {
  return (ui?.[HANDED] ?? []).flatMap((item) =>
    typeof item === 'object' && item !== null && 'path' in item && typeof item.path === 'string'
      ? [item.path]
      : [],
  );
}

/** Without the paths on this machine, and without pictures that are handed over. */
export function shownUi(ui: NodeOutput['ui']): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    Object.entries(ui).flatMap(([kind, items]) =>
      items === undefined || kind === HANDED ? [] : [[kind, items.map(withoutPath)]],
    ),
  );
}

function withoutPath(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || !('path' in item)) return item;
  return Object.fromEntries(Object.entries(item).filter(([key]) => key !== 'path'));
}

/** A job's part of `/history`: `"id": {…}`. Undefined where it has none. */
export function historyEntry(job: StoredJob): string | undefined {
  const status = historyStatus(job);
  if (status === undefined) return undefined;
  const outputs = outputsByNode(job.outcome?.outputs ?? []);
  const meta = Object.fromEntries(
    Object.keys(outputs).map((node) => {
      const { display_node_id, parent_node_id, real_node_id } = idsOf(node);
      return [
        node,
        { node_id: node, display_node: display_node_id, parent_node: parent_node_id, real_node_id },
      ];
    }),
  );
  return (
    `${JSON.stringify(job.id)}: {"prompt": ${queueEntry(job)}, "outputs": ${JSON.stringify(outputs)}, ` +
    `"status": ${JSON.stringify(status)}, "meta": ${JSON.stringify(meta)}}`
  );
}
