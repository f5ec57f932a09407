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

// LocalVersion is the version of a provider that is not a release. OpenTofu
// refuses 0.0.0, and both CLIs ignore a version with a suffix, such as 0.0.1-dev,
// unless the configuration requires exactly that.
const LocalVersion = "0.0.1"

// Mirror adds the provider to a folder from which "init" of both CLIs installs
// it as from a registry, with version selection and the lock file, which
// dev_overrides would skip. It returns the path of a CLI configuration file that
// allows this folder and nothing else, so nothing reaches the network.
func Mirror(dir, binary, version string) (config string, err error) {
	if _, err := layOut(filepath.Join(dir, "plugins"), binary, version); err != nil {
		return "", err
	}

	return writeConfig(dir)
}

// Install copies the provider to where "init" of both CLIs finds it without any
// configuration, the plugins folder of the user, and returns the folders that it
// filled. As long as they exist, the CLIs never install the provider from a
// registry.
func Install(binary, version string) (dirs []string, err error) {
	dir, err := userPlugins()
	if err != nil {
		return nil, err
	}

	return layOut(dir, binary, version)
}

// Source returns the source address of a provider, such as
// "waldur/waldur-usage", which both registries derive from the path of its Go
// module: github.com/NAMESPACE/terraform-provider-TYPE.
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

// layOut copies the binary to HOST/NAMESPACE/TYPE/VERSION/OS_ARCH for both
// registries, the unpacked layout of a file system mirror.
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

		// Everything in the folder is part of the package and its checksum, so
		// nothing of an earlier build may remain. The file is a new one, so
		// that a provider that is still running keeps its own.
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

// writeConfig writes a CLI configuration file with which the CLIs install
// providers only from the plugins folder in dir, and do not check for updates of
// their own.
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

// userPlugins returns the only implied mirror folder that Terraform and OpenTofu
// share.
func userPlugins() (string, error) {
	if runtime.GOOS == "windows" {
		dir, err := os.UserConfigDir() // %AppData%

		return filepath.Join(dir, "terraform.d", "plugins"), err
	}

	dir, err := os.UserHomeDir()

	return filepath.Join(dir, ".terraform.d", "plugins"), err
}
