package provider

import (
	"bytes"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// What passes the framework by must arrive as if it had not: were a custom type
// or a block added to the list, this would show it.
func TestRecordsArriveAsThroughTheFramework(t *testing.T) {
	t.Parallel()
	fake := waldurtest.New()
	many, none := waldurtest.ProjectScope(1), waldurtest.ProjectScope(2)
	fake.Add(waldurtest.History(many, 3, 12)...)
	fake.AddScope(none)
	s := connect(t, fake, nil)
	for name, block := range map[string]attributes{
		"records":    {"project_uuid": someProject(many)},
		"fields":     {"scope": "https://waldur.example.com" + many, "fields": []string{"type"}, "date_before": "2024-09-30"},
		"no records": {"project_uuid": someProject(none)},
		"no scope":   {"customer_uuid": someUUID},
	} {
		ours, err := s.server.ReadDataSource(t.Context(), s.readRequest(listType, block))
		if err != nil {
			t.Fatal(err)
		}
		framework, err := s.server.(server).ProviderServer.ReadDataSource(t.Context(), s.readRequest(listType, block))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours.State.MsgPack, framework.State.MsgPack) || len(ours.Diagnostics) != len(framework.Diagnostics) {
			t.Errorf("%s: another answer than the framework's", name)
		}
	}
}
