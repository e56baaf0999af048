/** Node packs that come with latentd: each a folder built on the public plug-in face, alike to the pack of its name. */
import * as artVenture from './art-venture/index.js';
import * as comfyDeploy from './comfy-deploy/index.js';
import * as comfyPack from './comfy-pack/index.js';
import * as crystools from './crystools/index.js';
import * as easyUse from './easy-use/index.js';
import * as eden from './eden/index.js';
import * as essentials from './essentials/index.js';
import * as externalTooling from './external-tooling/index.js';
import * as imageSaver from './image-saver/index.js';
import * as impact from './impact/index.js';
import * as kjnodes from './kjnodes/index.js';
import * as multiGpu from './multi-gpu/index.js';
import * as onediff from './onediff/index.js';
import * as pysssss from './pysssss/index.js';
import * as qualityOfLife from './quality-of-life/index.js';
import * as rgthree from './rgthree/index.js';
import * as ultimateSdUpscale from './ultimate-sd-upscale/index.js';
import * as swarm from './swarm/index.js';
import * as was from './was/index.js';

export const packs = [
  essentials,
  kjnodes,
  rgthree,
  pysssss,
  crystools,
  eden,
  was,
  impact,
  easyUse,
  ultimateSdUpscale,
  artVenture,
  comfyDeploy,
  comfyPack,
  externalTooling,
  imageSaver,
  multiGpu,
  onediff,
  qualityOfLife,
  swarm,
];
