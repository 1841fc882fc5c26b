package redis_test

import (
	"testing"

	"github.com/gostreamer/streamer/internal/testservers"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Main(m)) }
