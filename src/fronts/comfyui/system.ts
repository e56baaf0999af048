/** `/system_stats`, `/features`, `/free`, and what only the editor asks. */
import { freemem, totalmem } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { HttpHouse } from '../http/room.js';
import { serverFeatures } from './features.js';
import { bodyObject } from './request-body.js';

/** What this API is: clients read versions off it. */
const COMFYUI_VERSION = '0.29.0';

export function systemRoutes(app: FastifyInstance, { jobs, premises, settings }: HttpHouse): void {
  app.post('/free', (request, reply) => {
    const { unload_models: models, free_memory: memory } = bodyObject(request);
    if (models === true || memory === true) jobs.freeEngines();
    return reply.send();
  });
  app.get('/system_stats', () => {
    const [ramTotal, ramFree] = [totalmem(), freemem()];
    return {
      system: {
        os: process.platform,
        ram_total: ramTotal,
        ram_free: ramFree,
        comfyui_version: COMFYUI_VERSION,
        required_frontend_version: null,
        installed_templates_version: null,
        required_templates_version: null,
        comfy_package_versions: [],
        python_version: `Node ${process.versions.node}`,
        pytorch_version: 'none',
        embedded_python: false,
        deploy_environment: 'latentd',
        argv: ['latentd', 'serve'],
      },
      devices: premises().devices.map((device) => ({
        ...named(device),
        vram_total: ramTotal,
        vram_free: ramFree,
        torch_vram_total: ramTotal,
        torch_vram_free: ramFree,
      })),
    };
  });
  app.get('/features', () => serverFeatures(settings.maxUpload));
}

/** A device in torch's words. */
function named(device: string): {
  readonly name: string;
  readonly type: string;
  readonly index: number | null;
} {
  if (device === 'cpu') return { name: 'cpu', type: 'cpu', index: null };
  const index = Number(/:(\d+)$/.exec(device)?.[1] ?? 0);
  return { name: `cuda:${index}`, type: 'cuda', index };
}
