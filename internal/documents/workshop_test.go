package documents

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// TestAccDocuments runs on one workshop, as a provider takes its time to build.
func TestAccDocuments(t *testing.T) {
	t.Parallel()
	w := openWorkshop(t)
	t.Run("every configuration shown runs", w.everyConfigurationShownRuns)
	t.Run("every example is valid", w.everyExampleIsValid)
	t.Run("the usage report shows each month and the totals", w.usageReportShowsEachMonthAndTheTotals)
	t.Run("the usage report of a year without records says so", w.usageReportOfAYearWithoutRecordsSaysSo)
	t.Run("many projects stand in one table", w.manyProjectsStandInOneTable)
	t.Run("both providers read in one plan", w.bothProvidersReadInOnePlan)
	t.Run("two providers of one prefix need names", w.twoProvidersOfOnePrefixNeedNames)
	t.Run("the README's budget holds", w.readmeBudgetHolds)
	t.Run("the README's quick start reads", w.readmeQuickStartReads)
	t.Run("the README shows the demo", w.readmeShowsTheDemo)
	t.Run("what the budget guide warns of", w.whatTheBudgetGuideWarnsOf)
	t.Run("the month of yesterday", w.theMonthOfYesterday)
	t.Run("large lists take the requests that the guide says", w.largeListsTakeTheRequestsThatTheGuideSays)
	t.Run("each explained message exists", w.eachExplainedMessageExists)
	t.Run("shell commands exist", w.shellCommandsExist)
}

// workshop is a CLI that installs the provider as it is built from this
// repository, and beside it a stand-in for the official one.
type workshop struct {
	cli    cli.CLI
	config string   // the CLI configuration file that knows the provider
	env    []string // beside that of the program
}

func openWorkshop(t *testing.T) workshop {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("Acceptance tests run when TF_ACC is set: make testacc")
	}
	sandbox, err := cli.NewSandbox(t.Context(), cli.Any, t.TempDir(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	installStandIn(t, filepath.Join(filepath.Dir(sandbox.Config), "plugins"))
	return workshop{cli: sandbox.CLI, config: sandbox.Config}
}

// connected lets the provider find a Waldur, and only that one.
func (w workshop) connected(endpoint, token string) workshop {
	w.env = []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + token, "WALDUR_MAX_RETRIES=0"}
	return w
}

func (w workshop) workingDir(dir string) cli.WorkingDir {
	return cli.Sandbox{CLI: w.cli, Config: w.config}.WorkingDir(dir, w.env...)
}

// run returns what the program prints and its exit code.
func (w workshop) run(t *testing.T, dir string, arguments ...string) (output string, exit int) {
	t.Helper()
	r := clitest.Run(t, w.workingDir(dir), arguments...)
	return r.Output, r.ExitCode
}

// mustRun ends the test when the program fails.
func (w workshop) mustRun(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	return clitest.MustRun(t, w.workingDir(dir), arguments...)
}

// configuration makes a folder with one configuration, initialised.
func (w workshop) configuration(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "main.tf"), text)
	w.mustRun(t, dir, "init", "-no-color")
	return dir
}

// example makes a copy of the examples, some of which use others, with one of
// them initialised.
func (w workshop) example(t *testing.T, folder string) (dir string) {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(repository, "examples"))); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(copied, folder)
	w.mustRun(t, dir, "init", "-no-color")
	return dir
}

// surroundings puts beside a configuration what the documents suppose: a copy
// of the budget module, and a file of certificates.
func surroundings(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(dir, "budget-check"), os.DirFS(filepath.Join(repository, "examples", "budget-check"))); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(waldurtest.New())
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	write(t, filepath.Join(dir, "ca.pem"), string(certificate))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
