/** Lists by which an editor puts names into a text. */
import { combo } from '../../public.js';

export const selectWildcard = combo(['Select the Wildcard to add to the text']);
export const selectLora = combo((folders) => [
  'Select the LoRA to add to the text',
  ...folders.list('loras'),
]);
