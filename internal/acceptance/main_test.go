// Package acceptance runs complete configurations on Terraform or OpenTofu, as a
// person or a pipeline does, and checks what matters there: the exit code.
package acceptance

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

const (
	// repository is the path from this package to the top of the repository.
	repository = "../.."
	// opaPath is the environment variable that names the program opa of tools/opa.
	opaPath = "ACCEPTANCE_OPA"
	// project is the UUID of the project that the policy limits, and its category.
	project  = "2b5719686db84f24bf64c3dfec58fbeb"
	category = "0123456789abcdef0123456789abcdef"
)

func TestMain(m *testing.M) {
	if os.Getenv("TF_ACC") != "" {
		if err := buildOPA(); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(clitest.Main(m))
}

func buildOPA() error {
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-modfile=tools/opa/go.mod", "-n", "opa")
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	opa, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("build opa: %w", err)
	}
	return os.Setenv(opaPath, strings.TrimSpace(string(opa)))
}

// copyModule copies the budget module into a folder.
func copyModule(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(repository, "examples/budget-check"))); err != nil {
		t.Fatal(err)
	}
}

// usage returns a record of the project's virtual machines.
func usage(kind, date string, amount int64) waldurtest.Record {
	return waldurtest.Record{
		Name: strings.ToUpper(kind), Type: kind, MeasuredUnit: "hours", CategoryTitle: "Virtual machines", CategoryUUID: category,
		Date: date, ReportedUsage: &amount, Scope: "/api/projects/" + project + "/",
	}
}

// connect returns the environment in which the provider finds a Waldur. Requests
// are not retried, so that no test waits.
func connect(endpoint, token string) []string {
	return []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + token, "WALDUR_MAX_RETRIES=0"}
}
