package kafka_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"os"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// fetchToken asks who gives tokens.
func fetchToken(context.Context) (string, error) { return os.Getenv("TOKEN"), nil }

// What a URI has no place for: a token from the program, TLS settings of its
// own, and options of the client.
func ExampleConnect() {
	ctx := context.Background()
	s, err := kafka.Connect(ctx, kafka.Config{
		Brokers: []string{"kafka.example:9094"},
		TLS:     &tls.Config{ServerName: "kafka.internal"},
		OAuth: func(ctx context.Context) (oauth.Auth, error) {
			token, err := fetchToken(ctx)
			return oauth.Auth{Token: token}, err
		},
		Opts: []kgo.Opt{kgo.FetchMaxBytes(8 << 20)}, // less memory per broker
	}, streamer.StreamerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
}

// Administration that this module has no word for.
func ExampleClient() {
	ctx := context.Background()
	s, err := streamer.Connect(ctx, "kafka://localhost/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if cl, ok := kafka.Client(s); ok {
		settings, err := kadm.NewClient(cl).DescribeTopicConfigs(ctx, "orders")
		fmt.Println(settings, err)
	}
}
