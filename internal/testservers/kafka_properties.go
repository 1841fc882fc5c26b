package testservers

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	propertiesFile = "server.properties"
	dataDir        = "data"
	bootstrapFile  = "bootstrap.checkpoint" // the features that a cluster begins with

	clusterID = "c3RyZWFtZXItdGVzdHMtMQ"
)

// brisk is what makes brokers start and notice things quickly, as no production
// would have it. A session is longer than a busy machine lets a virtual machine
// wait: a healthy broker is never thought dead.
var brisk = []string{
	"process.roles=broker,controller",
	"controller.listener.names=" + string(listenController),
	"inter.broker.listener.name=" + string(listenPlain),
	"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
	"auto.create.topics.enable=false",
	"num.partitions=3",
	"offsets.topic.num.partitions=1",
	"transaction.state.log.num.partitions=1",
	"group.initial.rebalance.delay.ms=0",
	"group.min.session.timeout.ms=1000",
	"broker.heartbeat.interval.ms=500",
	"broker.session.timeout.ms=3000",
	"log.cleaner.dedupe.buffer.size=2097152",
	"log.retention.ms=-1", // the suite writes records of long ago
}

// prepare makes a directory for each broker, with its configuration in it.
func (c *KafkaCluster) prepare(program Program) error {
	names := c.options.listeners()
	ports, err := freePorts(c.options.Brokers * len(names))
	if err != nil {
		return err
	}
	for id := range int32(c.options.Brokers) { //nolint:gosec // a few
		s := &KafkaServer{server: server{name: "kafka"}, program: program, id: id + 1, listeners: map[Listener]int{}}
		c.Nodes = append(c.Nodes, s)
		for _, name := range names {
			s.listeners[name], ports = ports[0], ports[1:]
		}
		s.port = s.listeners[listenPlain]
		if s.dir, err = os.MkdirTemp("", "streamer-kafka-"); err != nil {
			return err
		}
	}
	if c.options.TLS != Plain {
		if c.Certificates, err = makeCertificates(c.Nodes[0].dir); err != nil {
			return err
		}
	}
	for _, s := range c.Nodes {
		text := strings.Join(c.properties(s), "\n") + "\n"
		if err := os.WriteFile(filepath.Join(s.dir, propertiesFile), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (o KafkaOptions) listeners() []Listener {
	all := []Listener{listenPlain, listenController}
	if len(o.Users) > 0 {
		all = append(all, ListenSASL)
	}
	if o.TLS != Plain {
		all = append(all, ListenTLS)
	}
	if len(o.Users) > 0 && o.TLS != Plain {
		all = append(all, ListenSASLTLS)
	}
	return all
}

func (c *KafkaCluster) properties(s *KafkaServer) []string {
	var voters []string
	for _, n := range c.Nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", n.id, loopback(n.listeners[listenController])))
	}
	lines := slices.Concat(brisk, []string{
		fmt.Sprint("node.id=", s.id),
		"controller.quorum.voters=" + strings.Join(voters, ","),
		"log.dirs=" + filepath.ToSlash(filepath.Join(s.dir, dataDir)),
	}, s.listen(), c.copies(), c.options.logins(), c.secure())
	if c.options.Authorizer {
		lines = append(lines, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
			"allow.everyone.if.no.acl.found=true", "super.users=User:admin")
	}
	return append(lines, c.options.Properties...)
}

func (s *KafkaServer) listen() []string {
	var all, advertised []string
	for _, l := range slices.Sorted(maps.Keys(s.listeners)) {
		at := string(l) + "://" + loopback(s.listeners[l])
		all = append(all, at)
		if l != listenController {
			advertised = append(advertised, at)
		}
	}
	return []string{"listeners=" + strings.Join(all, ","), "advertised.listeners=" + strings.Join(advertised, ",")}
}

// copies says how often everything is kept: what is acknowledged outlives any
// one of three brokers.
func (c *KafkaCluster) copies() []string {
	n := min(c.options.Brokers, 3)
	enough := (n + 1) / 2
	return []string{
		fmt.Sprint("default.replication.factor=", n), fmt.Sprint("min.insync.replicas=", enough),
		fmt.Sprint("offsets.topic.replication.factor=", n),
		fmt.Sprint("transaction.state.log.replication.factor=", n), fmt.Sprint("transaction.state.log.min.isr=", enough),
	}
}

// logins lets the users in wherever there is SASL.
func (o KafkaOptions) logins() []string {
	if len(o.Users) == 0 {
		return nil
	}
	plain := "org.apache.kafka.common.security.plain.PlainLoginModule required"
	for _, name := range slices.Sorted(maps.Keys(o.Users)) {
		plain += fmt.Sprintf(" user_%s=%q", name, o.Users[name])
	}
	scram := "org.apache.kafka.common.security.scram.ScramLoginModule required"
	lines := []string{"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"}
	for _, l := range []Listener{ListenSASL, ListenSASLTLS} {
		name := "listener.name." + strings.ToLower(string(l))
		lines = append(lines, name+".plain.sasl.jaas.config="+plain+";",
			name+".scram-sha-256.sasl.jaas.config="+scram+";", name+".scram-sha-512.sasl.jaas.config="+scram+";")
	}
	return lines
}

func (c *KafkaCluster) secure() []string {
	if c.options.TLS == Plain {
		return nil
	}
	clients := "none"
	if c.options.TLS == Mutual {
		clients = "required"
	}
	return []string{
		"ssl.keystore.type=PEM", "ssl.keystore.location=" + filepath.ToSlash(c.Certificates.serverPair),
		"ssl.truststore.type=PEM", "ssl.truststore.location=" + filepath.ToSlash(c.Certificates.CA),
		"ssl.client.auth=" + clients,
	}
}

// format makes the data directory as Kafka's own tool does, which takes longer
// than a broker's start: the tool ran once, when Kafka was installed, and what
// it wrote is for any broker but for its names.
func (s *KafkaServer) format() error {
	data := filepath.Join(s.dir, dataDir)
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	features, err := os.ReadFile(filepath.Join(KafkaDir(), bootstrapFile))
	if err != nil {
		return err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	id[0] = 'd'             // an id that begins with a dash is not taken
	names := fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", clusterID, s.id, base64.RawURLEncoding.EncodeToString(id[:]))
	return errors.Join(
		os.WriteFile(filepath.Join(data, bootstrapFile), features, 0o644),
		os.WriteFile(filepath.Join(data, "meta.properties"), []byte(names), 0o644),
	)
}
