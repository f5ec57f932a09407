package cli

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// LocalVersion is the version to give a provider that is no release: OpenTofu
// refuses 0.0.0, and neither program takes one with a suffix, such as
// 0.0.1-dev, unless it is asked for exactly.
const LocalVersion = "0.0.1"

// Mirror makes a folder from which "init" of either program installs the
// provider, without a registry and without the override of developers, which
// skips version selection and the lock file. It holds the binary under the
// hosts of both registries and, in the returned path, a CLI configuration file
// that knows this folder and nothing else: what is not in it cannot be
// installed, so nothing reaches the network. The version is a release's or
// [LocalVersion].
func Mirror(dir, binary, version string) (config string, err error) {
	if _, err := layOut(filepath.Join(dir, "plugins"), binary, version); err != nil {
		return "", err
	}

	return writeConfig(dir)
}

// Install puts the binary where "init" of both programs looks without any
// configuration: the plugins folder in the user's configuration folder. It
// returns the folders that it filled. As long as they exist, the programs take
// the provider from there and never from a registry.
func Install(binary, version string) (dirs []string, err error) {
	dir, err := userPlugins()
	if err != nil {
		return nil, err
	}

	return layOut(dir, binary, version)
}

// Source returns the address of the provider in a required_providers block,
// without host. It follows from the path of the Go module as in both
// registries: github.com/NAMESPACE/terraform-provider-TYPE.
func Source(binary string) (string, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", fmt.Errorf("read the module of the provider: %w", err)
	}

	namespace, name := path.Split(info.Main.Path)

	kind, isProvider := strings.CutPrefix(name, "terraform-provider-")
	if !isProvider {
		return "", fmt.Errorf("%s is the module %q, not a provider", binary, info.Main.Path)
	}

	return path.Join(path.Base(namespace), kind), nil
}

// layOut copies the binary to HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/ for the
// hosts of both registries, the unpacked layout of a file system mirror.
func layOut(mirror, binary, version string) (dirs []string, err error) {
	source, err := Source(binary)
	if err != nil {
		return nil, err
	}

	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}

	for _, kind := range []Kind{Terraform, OpenTofu} {
		dir := filepath.Join(mirror, kind.RegistryHost(), filepath.FromSlash(source), version, runtime.GOOS+"_"+runtime.GOARCH)

		// Everything in the folder belongs to the package and to its checksum:
		// nothing of an earlier build may stay. The file is a new one, so that
		// a provider that still runs keeps its own.
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}

		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}

		if err := os.WriteFile(filepath.Join(dir, filepath.Base(binary)), program, 0o755); err != nil {
			return nil, err
		}

		dirs = append(dirs, dir)
	}

	return dirs, nil
}

// writeConfig writes a CLI configuration file with which the programs install
// from the plugins folder beside it alone, and ask nobody for their own
// updates.
func writeConfig(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}

	plugins := filepath.Join(dir, "plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return "", err
	}

	content := fmt.Sprintf(`disable_checkpoint = true

provider_installation {
  filesystem_mirror {
    path = %q
  }
}
`, filepath.ToSlash(plugins))

	config := filepath.Join(dir, "cli.tfrc")

	return config, os.WriteFile(config, []byte(content), 0o644)
}

// userPlugins is the one implied mirror folder that Terraform and OpenTofu
// share. OpenTofu has others of its own.
func userPlugins() (string, error) {
	if runtime.GOOS == "windows" {
		dir, err := os.UserConfigDir() // %AppData%

		return filepath.Join(dir, "terraform.d", "plugins"), err
	}

	dir, err := os.UserHomeDir()

	return filepath.Join(dir, ".terraform.d", "plugins"), err
}
