/** What the pack's inputs have in common. */
import { string } from '../../public.js';

const CATEGORY = '🔗ComfyDeploy';

export const named = (name: string, displayName: string, description: string) => ({
  name: `ComfyUIDeployExternal${name}`,
  displayName: `External ${displayName} (ComfyUI Deploy)`,
  category: CATEGORY,
  description,
});

export const inputId = (text: string) =>
  string({ multiline: false, default: text, tooltip: 'The name that an API gives the value by.' });
export const shown = {
  display_name: string({ multiline: false }),
  description: string({ multiline: true }),
};
