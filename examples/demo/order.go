package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gostreamer/streamer"
	_ "github.com/gostreamer/streamer/file"
)

// order is one event of the log.
type order struct {
	ID       int    `json:"id"`
	Customer string `json:"customer"`
	Item     string `json:"item"`
	Cents    int64  `json:"cents"`
}

// newOrders invents orders: the same ones in every run. They have hundreds of customers, as a worker is given whole customers: with a few, it
// would be chance whether a worker is given many orders or none.
func newOrders(count int) []order {
	surnames := []string{
		"Abebe", "Bianchi", "Chen", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ivanova", "Jansen", "Kowalski", "Lindqvist",
		"Mbeki", "Nakamura", "Okafor", "Patel", "Quispe", "Rossi", "Santos", "Tanaka", "Ueda", "Virtanen", "Walker", "Yilmaz",
	}
	items := []string{"lamp", "desk", "chair", "book", "kettle", "bicycle", "carpet", "clock", "radio", "mirror"}
	random := rand.New(rand.NewPCG(2026, 1))
	orders := make([]order, count)
	for i := range orders {
		orders[i] = order{
			ID:       i + 1,
			Customer: fmt.Sprintf("%c. %s", 'A'+random.IntN(26), surnames[random.IntN(len(surnames))]),
			Item:     items[random.IntN(len(items))],
			Cents:    200 + random.Int64N(30_000),
		}
	}
	return orders
}

// writeOrders stores the orders in the log, keyed by customer, and returns the size of its file.
func writeOrders(ctx context.Context, dir string, orders []order) (size int64, err error) {
	s, err := streamer.Connect(ctx, logURI(dir))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		return 0, err
	}
	for _, o := range orders {
		value, err := json.Marshal(o)
		if err != nil {
			return 0, err
		}
		p.Send(ctx, streamer.Record{Key: []byte(o.Customer), Value: value})
	}
	if err := p.Flush(ctx); err != nil { // nil: every one of them is stored
		return 0, err
	}
	info, err := os.Stat(filepath.Join(dir, "orders.ss"))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func parseOrder(m *streamer.Message) (order, error) {
	var o order
	if err := json.Unmarshal(m.Value, &o); err != nil {
		return o, fmt.Errorf("order at %v: %w", m.Seq, err)
	}
	return o, nil
}
