/** One address for every protocol over HTTP. */
import type { Front, FrontDefinition } from '../front.js';
import type { HttpRoutes } from './room.js';

export interface HttpRoom {
  readonly name: string;
  /** Only a daemon that serves HTTP loads it. */
  readonly load: () => Promise<HttpRoutes>;
}

const NOWHERE: Front = { addresses: {}, close: () => Promise.resolve() };

/** A front of these rooms; they know one another as little as fronts do. */
export function httpFront(rooms: readonly HttpRoom[]): FrontDefinition {
  return {
    name: 'http',
    async open(house) {
      const { http } = house.settings;
      if (http === undefined) return NOWHERE;
      const { openServer } = await import('./server.js');
      const routes = await Promise.all(rooms.map(({ load }) => load()));
      return openServer(http, routes, house);
    },
  };
}
