/** What a protocol over HTTP is: routes on the one server, in a room of their own. */
import type { FastifyInstance } from 'fastify';
import type { FrontOptions } from '../front.js';

/** What the routes of a room work with. */
export type HttpHouse = FrontOptions;

/**
 * Adds a protocol's routes to `app`, a scope of its own: parsers of bodies, error handlers, hooks and decorations that are added
 * there are seen by no other room. What it opens, it closes in an `onClose` hook.
 *
 * Every scope has `@fastify/multipart`, `@fastify/websocket` (`{ websocket: true }`, whose handlers get a `ClientSocket`) and `reply.sendFile(NAME, FOLDER)` with ranges
 * and ETags. A route whose `config.open` is true answers without a token. A route's `schema` checks its requests and is in
 * `/openapi.json`.
 */
export type HttpRoutes = (app: FastifyInstance, house: HttpHouse) => Promise<void> | void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. */
    readonly open?: boolean;
  }
}
