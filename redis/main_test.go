package redis_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/gostreamer/streamer/internal/testservers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Main(m)) }
