/** Where the engine process starts (nodes/load-in-parts.ts says why here). */
await import('../nodes/load-in-parts.js');
await import('../compute/onnx/backend.js');
await import('./engine.js');
