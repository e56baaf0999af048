/** The names of devices. */

/** `cuda` is the first card. */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

/** The number of a card, as CUDA counts those that it may see. */
export function cardOf(device: Device): number {
  return device.startsWith('cuda:') ? Number(device.slice('cuda:'.length)) : 0;
}

/** The devices of a setting that was checked, in its order. */
export function devicesOf(setting: string): readonly Device[] {
  return setting.split(',').map((name) => (name === 'webgpu' ? 'cpu' : (name as Device)));
}
