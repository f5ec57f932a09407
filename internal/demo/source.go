package main

import (
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

const projectPath = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"

// source is a Waldur, and the scope that is read.
type source struct {
	fake        bool
	environment []string
	close       func()
}

// waldur returns the Waldur that the environment names, or a fake one.
func waldur(out io.Writer) (source, error) {
	endpoint, token, scope := os.Getenv("WALDUR_API_URL"), os.Getenv("WALDUR_ACCESS_TOKEN"), os.Getenv("WALDUR_DEMO_SCOPE")
	switch {
	case endpoint != "" && token != "" && scope != "":
		fmt.Fprintln(out, "==> Reading from your Waldur")
		return source{environment: variables(endpoint, token, scope), close: func() {}}, nil
	case scope != "":
		return source{}, errors.New("WALDUR_DEMO_SCOPE is set: set WALDUR_API_URL and WALDUR_ACCESS_TOKEN too, or none of the three")
	}
	fake := waldurtest.New()
	fake.Add(waldurtest.History(projectPath, 24, 12)...)
	server := httptest.NewServer(fake)
	fmt.Fprintf(out, "==> Started a Waldur with a project's usage of two years at %s\n", server.URL)
	return source{
		fake:        true,
		environment: append(variables(server.URL, waldurtest.Token, server.URL+projectPath), "TF_VAR_record_id=1"),
		close:       server.Close,
	}, nil
}

func variables(endpoint, token, scope string) []string {
	return []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + token, "TF_VAR_scope=" + scope}
}
