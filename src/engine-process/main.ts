/**
 * Where the engine process starts. Node opens all the modules that one `import` leads to before it reads the first: some two hundred
 * files at once, more than a small limit of open files has. One part after the other stays below it.
 */
await import('zod');
await import('../compute/graph.js');
await import('../nodes/index.js');
await import('./engine.js');
