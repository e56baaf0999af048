/** What travels between Advanced-ControlNet's nodes. */
import type { ControlKeyframe, ControlWeights, LatentKeyframe } from '../../models/control/keyframe.js';
import { link } from '../definition.js';
import type { CustomType } from '../values.js';

export const TIMESTEP_KEYFRAME = 'TIMESTEP_KEYFRAME' as CustomType<readonly ControlKeyframe[]>;
export const LATENT_KEYFRAME = 'LATENT_KEYFRAME' as CustomType<readonly LatentKeyframe[]>;
export const CONTROL_NET_WEIGHTS = 'CONTROL_NET_WEIGHTS' as CustomType<ControlWeights>;

/** Nothing that is here makes one. */
export const extras = link('CN_WEIGHTS_EXTRAS' as CustomType<never>);
