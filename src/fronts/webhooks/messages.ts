/** What webhooks are told. */
import type { NodeOutput } from '../../engine-process/messages.js';
import type { JobNotice } from '../../jobs/events.js';
import type { StoredJob } from '../../jobs/job.js';
import type { Artifact } from '../../store/artifact.js';

/** An address under which a stored file can be had for a while. */
export type Signer = (artifact: Artifact) => Promise<string | undefined>;

export interface HookMessage {
  /** The same when it is told again: who has it twice has it once. */
  readonly id: string;
  readonly body: {
    readonly type: string;
    /** ISO 8601. */
    readonly timestamp: string;
    readonly data: object;
  };
}

export function startMessage({ job, at }: Extract<JobNotice, { kind: 'started' }>): HookMessage {
  const data = { id: job.id, front: job.client.front, started_at: iso(at) };
  return { id: `${job.sequence}-started`, body: { type: 'job.started', timestamp: iso(at), data } };
}

export function progressMessage({
  job,
  report,
  secondsLeft,
}: Extract<JobNotice, { kind: 'progress' }>): HookMessage {
  const { phase, step, totalSteps } = report;
  const now = Date.now();
  const data = {
    id: job.id,
    front: job.client.front,
    phase,
    step,
    total_steps: totalSteps,
    seconds_left: secondsLeft,
  };
  return { id: `${job.sequence}-progress-${now}`, body: { type: 'job.progress', timestamp: iso(now), data } };
}

export async function endMessage(
  { id, sequence, client, acceptedAt, startedAt, finishedAt, outcome }: StoredJob,
  sign: Signer,
): Promise<HookMessage> {
  const { state = 'failed', error, outputs = [], durationSeconds } = outcome ?? {};
  const data = {
    id,
    front: client.front,
    accepted_at: iso(acceptedAt),
    ...(startedAt !== undefined && { started_at: iso(startedAt) }),
    ...(finishedAt !== undefined && { finished_at: iso(finishedAt) }),
    duration_s: durationSeconds,
    ...(error !== undefined && { error }),
    outputs: (await Promise.all(outputs.map((output) => filesOf(output, sign)))).flat(),
  };
  return {
    id: `${sequence}-over`,
    body: { type: `job.${state}`, timestamp: iso(finishedAt ?? Date.now()), data },
  };
}

/** Saved files, as ComfyUI's clients name them. */
async function filesOf({ node, ui }: NodeOutput, sign: Signer): Promise<readonly object[]> {
  const items = Object.entries(ui).flatMap(([kind, items = []]) => items.map((item) => ({ kind, item })));
  const files = await Promise.all(
    items.map(async ({ kind, item }) => {
      if (typeof item !== 'object' || item === null || !('filename' in item)) return [];
      const { filename, subfolder, type, artifact } = item as Readonly<Record<string, unknown>> & {
        readonly artifact?: Artifact;
      };
      const url = artifact && (await sign(artifact));
      const stored = { ...(artifact !== undefined && { artifact }), ...(url !== undefined && { url }) };
      return [{ node: node ?? null, kind, filename, subfolder, type, ...stored }];
    }),
  );
  return files.flat();
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
