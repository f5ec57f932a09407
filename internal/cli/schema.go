package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// Schema returns the schema of the provider as the JSON document that
// tfplugindocs reads, with the provider under the given name. By itself,
// tfplugindocs downloads a Terraform to get it.
func (c CLI) Schema(ctx context.Context, binary, name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "schema-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	config, err := Mirror(dir, binary, LocalVersion)
	if err != nil {
		return nil, err
	}

	source, err := Source(binary)
	if err != nil {
		return nil, err
	}

	configuration := fmt.Sprintf("terraform {\n  required_providers {\n    it = { source = %q }\n  }\n}\n", source)
	w := Sandbox{CLI: c, Config: config}.WorkingDir(dir)
	if err := w.Write("main.tf", configuration); err != nil {
		return nil, err
	}

	if _, err := w.MustRun(ctx, "init", "-no-color"); err != nil {
		return nil, err
	}

	out, err := w.MustRun(ctx, "providers", "schema", "-json")
	if err != nil {
		return nil, err
	}

	var document struct {
		FormatVersion   string                     `json:"format_version"`
		ProviderSchemas map[string]json.RawMessage `json:"provider_schemas"`
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		return nil, fmt.Errorf("%s providers schema: %w", c.Kind, err)
	}

	schema, found := document.ProviderSchemas[c.Kind.RegistryHost()+"/"+source]
	if !found {
		return nil, fmt.Errorf("%s providers schema: no %s", c.Kind, source)
	}

	document.ProviderSchemas = map[string]json.RawMessage{name: schema}

	return json.Marshal(document)
}
