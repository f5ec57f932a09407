// Package acceptance runs complete configurations on Terraform or OpenTofu, as a
// user or a pipeline does, and checks what matters there: the exit code.
package acceptance

import (
	"context"
	"errors"
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
	// project is the UUID of the project that the policy limits; category is that
	// of the category of its usage.
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

// buildOPA builds opa and puts it on PATH.
func buildOPA() error {
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-modfile="+repository+"/tools/opa/go.mod", "-n", "opa")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	opa, err := cmd.Output()
	dir := filepath.Dir(strings.TrimSpace(string(opa)))
	return errors.Join(err, os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")))
}

// copyModule copies the budget module to a folder.
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

// connect returns the environment variables that connect the provider to a Waldur.
// Requests are not retried, so that no test waits.
func connect(endpoint, token string) []string {
	return []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + token, "WALDUR_MAX_RETRIES=0"}
}
