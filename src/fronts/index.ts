/** Every protocol that the daemon speaks. */
import { dgxPixels } from './dgx-pixels/front.js';
import type { FrontDefinition } from './front.js';

export const FRONTS: readonly FrontDefinition[] = [dgxPixels];
