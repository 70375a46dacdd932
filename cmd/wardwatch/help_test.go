package main_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	_ "github.com/jackc/pgx/v5/stdlib" // pgx
	_ "modernc.org/sqlite"             // sqlite

	"wardwatch/internal/testserver"
)

func TestHelpFitsAScreen(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"", "serve", "demo", "sim", "sim cameras", "sim knobs", "sim bedside", "verify", "draw", "draw verify", "rounds", "rounds replay", "fsck", "migrate", "face", "face compare", "face eval", "eval counters", "witness",
	} {
		code, out, _ := run(t, nil, append(strings.Fields(args), "--help")...)
		lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
		if code != 0 || len(lines) > 30 || len(lines) < 5 {
			t.Errorf("%s --help: exit code %d, %d lines", args, code, len(lines))
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > 100 {
				t.Errorf("%s --help: %d columns: %s", args, utf8.RuneCountInString(l), l)
			}
		}
	}
}

func TestWrongCommandLinesSayWhat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no command":      {nil, 2, "expected one of"},
		"unknown command": {[]string{"sevre"}, 2, "sevre"},
		"unknown flag":    {[]string{"serve", "--prot", "1"}, 2, "--prot"},
		"argument":        {[]string{"fsck", "extra"}, 2, "extra"},
		"no argument":     {[]string{"verify"}, 2, "<file>"},
		"bad enum":        {[]string{"sim", "bedside", "http://h/bedside#t", "--behaviour", "sulk"}, 2, "--behaviour"},
		"no scenario":     {[]string{"sim", "cameras", "--scenario", filepath.Join(dir, "none.yaml")}, 2, "none.yaml"},
		"not a link":      {[]string{"sim", "bedside", "http://h/"}, 2, "/bedside#"},
		"unknown key":     {[]string{"serve", "--config", file("key.yaml", "lissten: 127.0.0.1:1\n")}, 2, `did you mean "listen"`},
		"not YAML":        {[]string{"fsck", "--config", file("bad.yaml", "listen: [\n")}, 2, "not valid YAML"},
		"no config":       {[]string{"migrate", "--config", filepath.Join(dir, "none.yaml")}, 2, "does not exist"},
		"no package":      {[]string{"verify", filepath.Join(dir, "none.zip"), "--key", "00"}, 2, "cannot be read"},
		"no proof":        {[]string{"draw", "verify", filepath.Join(dir, "none.json")}, 2, "cannot be read"},
		"no database":     {[]string{"fsck"}, 1, "wardwatch migrate"},
		"no picture":      {[]string{"face", "compare", filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg")}, 1, "a.jpg"},
		"version":         {[]string{"--version"}, 0, ""},
	} {
		code, out, errs := run(t, []string{"WARDWATCH_DATA=" + filepath.Join(dir, "data")}, tc.args...)
		if code != tc.code || !strings.Contains(out+errs, tc.want) {
			t.Errorf("%s: exit code %d, want %d and …%s…:\n%s%s", name, code, tc.code, tc.want, out, errs)
		}
		if strings.Contains(errs, "panic") || strings.Contains(errs, "goroutine ") {
			t.Errorf("%s: %s", name, errs)
		}
	}
}

func TestConfigInTheEnvironmentIsChecked(t *testing.T) {
	t.Parallel()
	code, _, errs := run(t, []string{"WARDWATCH_DATA=" + t.TempDir(), "WARDWATCH_OBJECTS_KIND=tape"}, "serve")
	if code != 2 || !strings.Contains(errs, "objects.kind") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	taken := serve(t, t.TempDir())
	code, _, errs = run(t, []string{"WARDWATCH_DATA=" + t.TempDir(), "WARDWATCH_LISTEN=" + strings.TrimPrefix(taken.base, "http://"), "WARDWATCH_VISION_WORKERS=0"}, "serve")
	if code != 1 || !strings.Contains(errs, "Change the listen setting") {
		t.Errorf("port taken: exit code %d: %s", code, errs)
	}
}

// An empty database is a first start. A newer one is somebody's data, and is
// not touched. (There is no older schema yet.)
func TestServeMigratesAnEmptyDatabaseAndRefusesANewerOne(t *testing.T) {
	t.Parallel()
	postgres := testserver.Postgres(t)
	for name, database := range map[string]string{"sqlite": "", "postgres": postgres} {
		dir := t.TempDir()
		s := serve(t, dir, "WARDWATCH_DATABASE="+database)
		s.terminate()
		serve(t, dir, "WARDWATCH_DATABASE="+database).terminate() // again, on a current one
		driver, address := "pgx", database
		if database == "" {
			driver, address = "sqlite", filepath.Join(dir, "catalogue.db")
		}
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, true)")
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"serve", "fsck"} {
			if code, out, errs := run(t, s.env, command); code != 1 || !strings.Contains(errs, "newer Wardwatch") {
				t.Errorf("%s: %s: exit code %d: %s%s", name, command, code, out, errs)
			}
		}
	}
}
