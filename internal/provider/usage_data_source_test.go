package provider

import (
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestRecordIsReadByID(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.PathPrefix = "/waldur"
	records := waldurtest.History(waldurtest.CustomerScope(1), 1, 3)
	records[1].ID = 1<<53 + 1
	server.Add(records...)
	s := connect(t, server, nil)
	state, found := s.read(oneType, attributes{"id": int64(1<<53 + 1)})
	s.requireNone(found)
	if state["id"] != int64(1<<53+1) || state["type"] != records[1].Type || state["date"] != records[1].Date ||
		!strings.HasSuffix(state["scope"].(string), records[1].Scope) {
		t.Errorf("got %v, want %v", state, records[1])
	}
	if requests := server.Requests(); len(requests) != 1 || requests[0].Method != http.MethodGet ||
		requests[0].Path != "/waldur/api/marketplace-category-component-usages/9007199254740993/" {
		t.Errorf("requests: %v", requests)
	}
}

func TestRecordArgumentsAreValidated(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		block              attributes
		attribute, summary string
	}{
		"an id":         {attributes{"id": 1}, "", ""},
		"an unknown id": {attributes{"id": unknown, "fields": unknown}, "", ""},
		"0":             {attributes{"id": 0}, "id", "Invalid id"},
		"a negative id": {attributes{"id": -1}, "id", "Invalid id"},
		"a fraction":    {attributes{"id": 1.5}, "id", "Invalid id"},
		"a large id":    {attributes{"id": new(big.Float).SetMantExp(big.NewFloat(1), 63)}, "id", "Invalid id"},
		"a wrong field": {attributes{"id": 1, "fields": []string{"id"}}, "fields", "Invalid Attribute Value Match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := newSession(t, nil).validate(oneType, row.block)
			if row.summary == "" && len(found) == 0 {
				return
			}
			if len(found) != 1 || found[0].attribute != row.attribute || found[0].summary != row.summary {
				t.Errorf("got:\n%s", found)
			}
		})
	}
}
