package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// BenchmarkBudgetCheck calls budget_check over the protocol with ten limits.
//
//	go test -run '^$' -bench BudgetCheck ./internal/provider
func BenchmarkBudgetCheck(b *testing.B) {
	for _, n := range []int{300, 10_000} {
		records := usagesValue(manyUsages(n))
		var elements []tftypes.Value
		if err := records.As(&elements); err != nil {
			b.Fatal(err)
		}
		types := make([]tftypes.Type, n)
		for i := range types {
			types[i] = elements[i].Type()
		}
		limits := map[string]any{}
		for i := range 10 {
			limits[fmt.Sprintf("Limit %d", i)] = map[string]any{"type": fmt.Sprintf("component_%d", i), "limit": 1_000_000_000}
		}
		for name, usages := range map[string]tftypes.Value{
			"list":  records,
			"tuple": tftypes.NewValue(tftypes.Tuple{ElementTypes: types}, elements),
		} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				server := newSession(b, nil).server
				request := &tfprotov6.CallFunctionRequest{Name: "budget_check", Arguments: []*tfprotov6.DynamicValue{
					dynamicArgument(b, usages), dynamicArgument(b, terraformValue(b, limits)),
				}}
				b.ReportAllocs()
				for b.Loop() {
					if resp, err := server.CallFunction(b.Context(), request); err != nil || resp.Error != nil {
						b.Fatal(err, resp)
					}
				}
			})
		}
	}
}
