/** What this worker can do, as MySpinBot's capability manifest. */
import { z } from 'zod';
import { SERVICES } from '../services.js';

export const GET_CAPABILITIES = 'info.get_capabilities';

const VERSION = '2026.12.0';

/** `devices`: an engine each. */
export function manifest(devices: readonly string[], nodeClasses: readonly string[]) {
  const kind = devices.every((device) => device === 'cpu') ? 'cpu' : 'gpu';
  const about = { version: VERSION, plane: 'python' as const };
  return {
    generatedAt: new Date().toISOString(),
    capabilities: [
      ...SERVICES.map(({ id, label, description, parameters, artifact }) => ({
        ...{ id, label, description, ...about },
        runtime: { kind, concurrency: devices.length },
        handler: { module: 'latentd', method: id },
        io: {
          input: z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' }),
          output: {
            type: 'object',
            required: ['currentProgress'],
            properties: {
              [artifact]: {
                type: 'object',
                description: 'Artifact: bucket, key, size_bytes, created_at, content_type.',
              },
              artifacts: { type: 'array', items: { type: 'object' } },
              currentProgress: { type: 'number', minimum: 0, maximum: 1 },
            },
          },
        },
        telemetry: { emitsProgressEvents: true, metrics: ['worker_job_duration_seconds'] },
        security: { requiresSecrets: false },
        contracts: { idempotent: true, sideEffects: 'persistent-storage-write' },
        ...(id === 'comfyui.workflow' && { examples: [{ nodeClasses }] }),
      })),
      {
        ...{
          id: GET_CAPABILITIES,
          label: 'Get Worker Capabilities',
          description: 'What this worker can do.',
          ...about,
        },
        runtime: { kind: 'cpu', concurrency: 1 },
        handler: { module: 'latentd', method: 'get_capabilities' },
        io: {
          input: { type: 'object', properties: {} },
          output: { type: 'object', properties: { workerCaps: { type: 'string' } } },
        },
        contracts: { idempotent: true, sideEffects: 'read-only' },
      },
    ],
  };
}
