package waldur_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestWall(t *testing.T) {
	for _, n := range []struct{ n, per int }{{60, 60}, {288, 12}, {600, 12}, {600, 60}, {600, 168}, {1200, 60}, {3000, 12}, {3000, 60}, {3000, 84}, {3000, 168}, {10000, 12}, {10000, 60}, {10000, 168}} {
		for _, c := range []int{1, 2, 4, 10} {
			synctest.Test(t, func(t *testing.T) {
				server := waldurtest.New()
				server.AddScope(projectPath)
				records := months(even(n.n, n.per)...)
				server.Add(records...)
				server.Sleep, server.Workers = true, 4
				dial := server.StartInMemory(t)
				start := time.Now()
				usages, err := connect(t, "http://waldur.test", func(config *waldur.Config) {
					config.Dial, config.Clock, config.MaxConcurrentRequests = dial, nil, c
				}).Usages(t.Context(), everything())
				wall := time.Since(start)
				wantAll(t, usages, err, records)
				plain := waldurtest.AnswerCost(0)*time.Duration((n.n+299)/300) + time.Duration(n.n)*(waldurtest.AnswerCost(1)-waldurtest.AnswerCost(0))
				floor := 22*time.Millisecond + time.Duration(n.n)*1680*time.Microsecond
				fmt.Printf("%d at %d, %d in flight: wall %.3f = %.3f of plain; server %.3f = %.3f of plain, %.3f floor; %d requests\n", n.n, n.per, c, wall.Seconds(), wall.Seconds()/plain.Seconds(), server.Cost().Seconds(), server.Cost().Seconds()/plain.Seconds(), server.Cost().Seconds()/floor.Seconds(), len(server.Requests()))
			})
		}
	}
}
