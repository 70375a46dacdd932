package main

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"wardwatch/internal/spelling"
	"wardwatch/ward"
)

// loadConfig reads path (which may be empty: defaults and environment only).
func loadConfig(path string, environ []string) (Config, error) {
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return Config{}, badConfig(path, "文件不存在", "the file does not exist")
			}
			return Config{}, badConfig(path, "不是有效的 YAML："+err.Error(), "not valid YAML: "+err.Error())
		}
	}
	known := keysOf(reflectConfig, "")
	for _, key := range k.Keys() {
		if !slices.Contains(known, key) {
			hint := spelling.Nearest(key, known)
			return Config{}, badConfig(path, fmt.Sprintf("没有配置项 %q，是否想写 %q？", key, hint), fmt.Sprintf("there is no key %q; did you mean %q?", key, hint))
		}
	}
	if err := checkNames(environ, known); err != nil {
		return Config{}, err
	}
	fromEnv := env.Provider(".", env.Opt{
		Prefix:      "WARDWATCH_",
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			for _, key := range known {
				if variable(key) == name {
					return key, value
				}
			}
			return "", nil // no key: see checkNames
		},
	})
	if err := k.Load(fromEnv, nil); err != nil {
		return Config{}, fmt.Errorf("read environment: %w", err)
	}
	c := defaults()
	if err := decode(k, &c); err != nil {
		bad := strings.Join(wrongTyped(k, known), ", ") // the error itself may hold a secret
		return Config{}, badConfig(path, "类型不对："+bad, "wrong type: "+bad)
	}
	return c, c.check(path)
}

func decode(k *koanf.Koanf, c *Config) error {
	return k.UnmarshalWithConf("", c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: c, TagName: "koanf", WeaklyTypedInput: true, DecodeHook: mapstructure.ComposeDecodeHookFunc(mapstructure.TextUnmarshallerHookFunc(), mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(",")),
	}})
}

// wrongTyped lists the keys whose values do not decode.
func wrongTyped(k *koanf.Koanf, known []string) []string {
	var bad []string
	for _, key := range known {
		if !k.Exists(key) {
			continue
		}
		one := koanf.New(".")
		if err := errors.Join(one.Set(key, k.Get(key)), decode(one, &Config{})); err != nil {
			bad = append(bad, key)
		}
	}
	return bad
}

// variable is the environment variable of a key.
func variable(key string) string {
	return "WARDWATCH_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// otherVariables are read elsewhere: by the command line, the vision library
// and the console's scripts. A name that ends in _ stands for all that begin
// so: of tests, and of what Kubernetes sets for a service named wardwatch.
var otherVariables = []string{
	"WARDWATCH_CONFIG", "WARDWATCH_MODELS", "WARDWATCH_VISION", "WARDWATCH_VISION_CONTAINED",
	"WARDWATCH_URL", "WARDWATCH_BIN", "WARDWATCH_E2E", "WARDWATCH_E2E_DIR",
	"WARDWATCH_TEST_", "WARDWATCH_BENCH_", "WARDWATCH_SERVICE_", "WARDWATCH_PORT", "WARDWATCH_PORT_",
}

// checkNames refuses a WARDWATCH_ variable that nothing reads.
func checkNames(environ, known []string) error {
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "WARDWATCH_") ||
			slices.ContainsFunc(known, func(key string) bool { return variable(key) == name }) ||
			slices.ContainsFunc(otherVariables, func(o string) bool { return o == name || strings.HasSuffix(o, "_") && strings.HasPrefix(name, o) }) {
			continue
		}
		hint := variable(spelling.Nearest(strings.ToLower(strings.TrimPrefix(name, "WARDWATCH_")), known))
		return badConfig("", fmt.Sprintf("没有环境变量 %s，是否想写 %s？", name, hint), fmt.Sprintf("there is no variable %s; did you mean %s?", name, hint))
	}
	return nil
}

func badConfig(path, zh, en string) error {
	if path == "" {
		path = "environment"
	}
	return &ward.Error{Kind: ward.Invalid, Code: "config", ZH: "配置 " + path + " 有误：" + zh, EN: "configuration " + path + ": " + en}
}

var reflectConfig = reflect.TypeFor[Config]()

// keysOf lists the dotted keys of a struct.
func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for f := range t.Fields() {
		key := prefix + f.Tag.Get("koanf")
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type, key+".")...)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}
