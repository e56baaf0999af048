/**
 * Imported before onnxruntime-node, whose library looks up its maker's host and writes a device id, a database and logs unless the
 * environment forbids it. The addon does the same for the whole process, worker threads included, when it is loaded.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
