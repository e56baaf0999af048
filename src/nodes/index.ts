/** Every node class, by its ComfyUI name. A folder's index lists its files; each node class that one of them exports is a node. */
import * as a1111 from './a1111/index.js';
import * as audio from './audio/index.js';
import * as advancedControlNet from './advanced-controlnet/index.js';
import * as conditioning from './conditioning/index.js';
import type { AnyNodeClass } from './definition.js';
import * as image from './image/index.js';
import * as ipAdapter from './ip-adapter/index.js';
import * as latent from './latent/index.js';
import * as loaders from './loaders/index.js';
import * as mask from './mask/index.js';
import * as model from './model/index.js';
import { specificMerges } from './model/specific-merging.js';
import { packs } from './packs/index.js';
import * as preprocessors from './preprocessors/index.js';
import * as sampling from './sampling/index.js';
import * as text from './text/index.js';
import * as utilities from './utilities/index.js';
import * as video from './video/index.js';

export type NodeRegistry = ReadonlyMap<string, AnyNodeClass>;

const folders: readonly Readonly<Record<string, AnyNodeClass>>[] = [
  loaders,
  conditioning,
  latent,
  sampling,
  model,
  Object.fromEntries(specificMerges.map((node) => [node.name, node])),
  image,
  mask,
  video,
  audio,
  text,
  utilities,
  ...packs,
  a1111,
  ipAdapter,
  preprocessors,
  advancedControlNet,
];

export const nodeClasses: NodeRegistry = new Map(
  folders.flatMap((folder) => Object.values(folder)).map((node) => [node.name, node]),
);
