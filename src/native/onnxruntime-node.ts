/** ONNX Runtime's own package, with its telemetry off. Nothing else imports it, so that none can be loaded with it on. */
import './without-telemetry.js';
export { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
