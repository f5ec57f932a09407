package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// BuildProvider compiles the provider of the module around the working
// directory into dir and returns the path of the binary. The version is the one
// that the binary reports.
func BuildProvider(ctx context.Context, dir, version string) (string, error) {
	module, root, err := module(ctx)
	if err != nil {
		return "", err
	}

	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}

	binary := filepath.Join(dir, executable(filepath.Base(module)))

	return binary, goBuild(ctx, root, binary, "-X main.version="+version, ".")
}

// buildOpenTofu compiles the OpenTofu of tools/tofu unless that was done
// before, and returns the path of the program.
func buildOpenTofu(ctx context.Context, progress io.Writer) (string, error) {
	_, root, err := module(ctx)
	if err != nil {
		return "", err
	}

	source := filepath.Join(root, "tools", "tofu")

	key, err := key(filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum"))
	if err != nil {
		return "", err
	}

	program := filepath.Join(root, "build", "tools", key, executable(string(OpenTofu)))
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}

	start := time.Now()
	fmt.Fprintf(progress, "building OpenTofu into %s: once, for some minutes\n", filepath.Dir(program))

	// A build that is stopped, or one beside it, must not leave half a program
	// under the final name.
	unfinished := fmt.Sprintf("%s.%d", program, os.Getpid())
	defer os.Remove(unfinished)

	// Without this variable OpenTofu calls itself a development version, which
	// version checks in tests refuse.
	const flags = "-s -w -X github.com/opentofu/opentofu/version.dev=no"
	built := make(chan error, 1)
	go func() { built <- goBuild(ctx, source, unfinished, flags, "github.com/opentofu/opentofu/cmd/tofu") }()

	still := time.NewTicker(20 * time.Second)
	defer still.Stop()

	for building := true; building; {
		select {
		case err := <-built:
			if err != nil {
				return "", err
			}

			building = false
		case <-still.C:
			fmt.Fprintf(progress, "still building OpenTofu, %s so far\n", time.Since(start).Round(time.Second))
		}
	}

	fmt.Fprintf(progress, "built OpenTofu in %s\n", time.Since(start).Round(time.Second))

	return program, os.Rename(unfinished, program)
}

// key changes with the versions of a tool and of everything that it is built
// with.
func key(files ...string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH)

	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}

		hash.Write(content)
	}

	return fmt.Sprintf("tofu-%x", hash.Sum(nil)[:6]), nil
}

// module returns the path and the folder of the Go module around the working
// directory.
func module(ctx context.Context) (path, dir string, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\n{{.Dir}}")
	cmd.Env = append(os.Environ(), "GOWORK=off")

	out, err := stdout(cmd)
	if err != nil {
		return "", "", err
	}

	path, dir, _ = strings.Cut(strings.TrimSpace(out), "\n")

	return path, dir, nil
}

func goBuild(ctx context.Context, dir, output, ldflags, target string) error {
	// The state of the repository does not belong into these programs, and git
	// refuses to tell it to another user.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", ldflags, "-o", output, target)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")

	_, err := stdout(cmd)

	return err
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}

	return name
}
