package vision

import (
	"os"
	"path/filepath"

	"wardwatch/ward"
)

// The model files that a worker loads. `make models` puts them there.
const (
	FileFaceFull  = "blazeface_full_192.onnx"
	FileFaceShort = "blazeface_short_128.onnx"
	FileMesh      = "facemesh_192.onnx"
	FileEmbed     = "mobilefacenet_sirius.onnx"
	FilePeople    = "cocossd_mnv2_300.onnx"
	FileLive      = "fr_liveness.onnx"
)

// FileEngine is ONNX Runtime's library, beside the worker. `make vision` puts it there.
const FileEngine = "libonnxruntime.so"

// Files lists every model file that a worker loads.
func Files() []string {
	return []string{FileFaceFull, FileFaceShort, FileMesh, FileEmbed, FilePeople, FileLive}
}

// FindModels returns the folder of the models: $WARDWATCH_MODELS, else
// .models in the working directory, beside the executable, or one folder
// above it (bin/wardwatch in a source tree). It need not exist: Ready says
// what is missing.
func FindModels() string {
	if dir := os.Getenv("WARDWATCH_MODELS"); dir != "" {
		return dir
	}
	return firstThatExists(".models", nearExecutable(".models"), nearExecutable("../.models"))
}

// FindWorker returns the worker binary: $WARDWATCH_VISION, else
// wardwatch-vision beside the executable, else bin/wardwatch-vision in the
// working directory.
func FindWorker() string {
	if path := os.Getenv("WARDWATCH_VISION"); path != "" {
		return path
	}
	return firstThatExists("bin/wardwatch-vision", nearExecutable("wardwatch-vision"))
}

func nearExecutable(name string) string {
	exe, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(exe), name)
}

func firstThatExists(paths ...string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return paths[0]
}

// missing says which part of the vision chain is not installed, or nil.
func missing(path, models string) error {
	st, err := os.Stat(path)
	if err == nil && !st.IsDir() {
		path = filepath.Join(filepath.Dir(path), FileEngine)
		st, err = os.Stat(path)
	}
	if err != nil || st.IsDir() {
		return &ward.Error{
			Kind: ward.Unavailable, Code: "vision.not_built",
			ZH:  "找不到视觉进程的文件 " + path + "：请运行 make vision",
			EN:  "the vision worker's file " + path + " is not there: run make vision",
			Err: err,
		}
	}
	for _, name := range Files() {
		file := filepath.Join(models, name)
		if _, err := os.Stat(file); err != nil {
			return &ward.Error{
				Kind: ward.Unavailable, Code: "vision.model_missing",
				ZH:  "缺少模型文件 " + file + "：请运行 make models，或用 WARDWATCH_MODELS 指定目录",
				EN:  "the model file " + file + " is missing: run make models, or point WARDWATCH_MODELS at its folder",
				Err: err,
			}
		}
	}
	return nil
}
