/** Every protocol that the daemon speaks. */
import { dgxPixels } from './dgx-pixels/front.js';
import type { FrontDefinition } from './front.js';
import { httpFront, type HttpRoom } from './http/front.js';
import { redisFront } from './redis/front.js';
import { webhooks } from './webhooks/front.js';

/** Protocols over HTTP, which share one address. None is loaded unless there is one. */
const ROOMS: readonly HttpRoom[] = [
  { name: 'comfyui', load: async () => (await import('./comfyui/routes.js')).comfyui },
  { name: 'comfyui/v2', load: async () => (await import('./comfyui/v2/routes.js')).comfyApiV2 },
  { name: 'operations', load: async () => (await import('./operations/routes.js')).operations },
  { name: 'a1111', load: async () => (await import('./a1111/routes.js')).a1111 },
  { name: 'openai', load: async () => (await import('./openai/routes.js')).openai },
  { name: 'page', load: async () => (await import('./page/routes.js')).page },
];

export const FRONTS: readonly FrontDefinition[] = [dgxPixels, httpFront(ROOMS), webhooks, redisFront];
