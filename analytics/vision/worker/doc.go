// Package worker is the contained side of analytics/vision: it decodes
// hostile bitstreams with libavcodec, scales with OpenCV,
// runs the models with ONNX Runtime, and answers requests from a pipe. It is the only cgo of Wardwatch and
// is built only with `-tags vision` and cgo (make vision). It opens no file but
// the models and no connection, and must know nothing of cameras, people's
// names or storage.
package worker
