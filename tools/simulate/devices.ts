/** Devices, what they have in memory, and which of them are free. */
export interface SimulatedDevice {
  /** Models in memory, the one used last at the end. */
  readonly models: number[];
  state: 'off' | 'starting' | 'free' | 'busy';
  /** Changes whenever it is no longer what a list of free devices says. */
  stamp: number;
}

interface FreeEntry {
  readonly device: SimulatedDevice;
  readonly stamp: number;
}

export class Devices {
  readonly all: readonly SimulatedDevice[];
  private readonly free: FreeEntry[] = [];
  private readonly warm: FreeEntry[][];

  constructor(
    count: number,
    models: number,
    private readonly kept: number,
  ) {
    this.all = Array.from({ length: count }, () => ({ models: [], state: 'off', stamp: 0 }));
    this.warm = Array.from({ length: models }, () => []);
  }

  /** A free device that has this model, or any. */
  take(model: number | undefined): SimulatedDevice | undefined {
    const list = model === undefined ? this.free : this.warm[model]!;
    for (let entry = list.pop(); entry !== undefined; entry = list.pop()) {
      const { device, stamp } = entry;
      if (device.state !== 'free' || device.stamp !== stamp) continue;
      device.state = 'busy';
      device.stamp++;
      return device;
    }
    return undefined;
  }

  release(device: SimulatedDevice): void {
    device.state = 'free';
    const entry = { device, stamp: ++device.stamp };
    for (const list of [this.free, ...device.models.map((model) => this.warm[model]!)]) {
      list.push(entry);
      if (list.length > 1000 + 4 * this.all.length) dropStale(list);
    }
  }

  switchOff(device: SimulatedDevice): void {
    device.state = 'off';
    device.stamp++;
    device.models.length = 0;
  }

  /** Whether it has to load the model, which it has from now on. */
  use(device: SimulatedDevice, model: number): boolean {
    const at = device.models.indexOf(model);
    if (at !== -1) device.models.splice(at, 1);
    device.models.push(model);
    if (device.models.length > this.kept) device.models.shift();
    return at === -1;
  }
}

/** Entries of devices that are free no more stay until somebody comes across them, or there are too many. */
function dropStale(list: FreeEntry[]): void {
  const kept = list.filter(({ device, stamp }) => device.state === 'free' && device.stamp === stamp);
  list.splice(0, Infinity);
  for (const entry of kept) list.push(entry);
}
