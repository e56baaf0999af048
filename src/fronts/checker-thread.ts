/** Where the thread that looks at workflows starts (nodes/load-in-parts.ts says why here). */
await import('../nodes/load-in-parts.js');
await import('./checker-worker.js');
