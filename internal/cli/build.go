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
// directory into dir and returns the path of the binary, which reports the
// version.
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

// openTofuSource is the folder, below the checkout, of the module that names
// OpenTofu and its dependencies.
const openTofuSource = "tools/tofu"

// openTofuPath returns the path of the OpenTofu that [buildOpenTofu] builds. It
// changes with the versions of everything that it is built with.
func openTofuPath(root string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH)

	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, openTofuSource, name))
		if err != nil {
			return "", err
		}

		hash.Write(content)
	}

	return filepath.Join(root, "build", "tools", fmt.Sprintf("tofu-%x", hash.Sum(nil)[:6]), executable(string(OpenTofu))), nil
}

// buildOpenTofu compiles the OpenTofu of a module as program.
func buildOpenTofu(ctx context.Context, module, program string, progress io.Writer) error {
	start := time.Now()
	fmt.Fprintf(progress, "building OpenTofu into %s, once; this takes some minutes\n", filepath.Dir(program))

	// An interrupted build, or one that runs at the same time, must not leave
	// half a program under the final name.
	unfinished := fmt.Sprintf("%s.%d", program, os.Getpid())
	defer os.Remove(unfinished)

	// Without this variable OpenTofu calls itself a development version, which
	// version checks in tests refuse.
	const flags = "-s -w -X github.com/opentofu/opentofu/version.dev=no"
	built := make(chan error, 1)
	go func() { built <- goBuild(ctx, module, unfinished, flags, "github.com/opentofu/opentofu/cmd/tofu") }()

	still := time.NewTicker(20 * time.Second)
	defer still.Stop()

	for building := true; building; {
		select {
		case err := <-built:
			if err != nil {
				return err
			}

			building = false
		case <-still.C:
			fmt.Fprintf(progress, "still building OpenTofu after %s\n", time.Since(start).Round(time.Second))
		}
	}

	fmt.Fprintf(progress, "built OpenTofu in %s\n", time.Since(start).Round(time.Second))

	return os.Rename(unfinished, program)
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
	// git refuses to report the state of a repository to another user, and a
	// local build does not need it.
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
