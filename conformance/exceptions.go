package conformance

// Part names an ability that not every backend has. A case lists the parts that
// it needs.
type Part string

const (
	Resuming    Part = "Resumable"
	Moving      Part = "Seek, Rewind and Start"
	Choosing    Part = "Assign and Shards"
	Resetting   Part = "AutoReset"
	Keys        Part = "keys"
	Headers     Part = "headers"
	NilValues   Part = "nil values"
	AnyBytes    Part = "values with line ends, leading white space or not UTF-8"
	BinaryKeys  Part = "binary keys"
	SenderTime  Part = "Time chosen by the sender"
	ReadingBack Part = "reading back what was stored"
	Lagging     Part = "Lag"
	Managing    Part = "Admin"
	Deleting    Part = "Admin.Delete"
	NextKnown   Part = "ShardInfo.Next"
	GoneReports Part = "the report of a trimmed position"
	BusyAtOpen  Part = "ErrBusy at open"

	// What can happen to a place: see Faults.
	Connection Part = "loss of the connection"
	Restart    Part = "restart of the server"
	Trimming   Part = "trimming"
	NewShards  Part = "a shard that appears later"
	Poisoning  Part = "an entry that cannot be decoded"
	Deletion   Part = "a stream deleted under its users"
	GroupLoss  Part = "a group that vanishes"
	Fencing    Part = "an owner that lost its shards"
	Denial     Part = "denied access"
	WrongType  Part = "a stream of the wrong type"
	Absence    Part = "a missing stream"
	Killing    Part = "SIGKILL of the process"
	Secrets    Part = "secrets"
)

// exception grants one backend to be without one part of one promise.
type exception struct {
	backend string
	promise int
	part    Part
	verdict Verdict // Refused: asserted by this package. NotApplicable: printed with why
	why     string
}

// exceptions is the whole list of what a backend may refuse or may not be able
// to meet. Nothing else excuses a backend from a case; a case of another
// promise that needs an excepted part is n/a as a consequence.
func exceptions() []exception {
	var all []exception
	for _, list := range [][]exception{memoryExceptions, fileExceptions, stdioExceptions, redisExceptions, kafkaExceptions, kinesisExceptions} {
		all = append(all, list...)
	}
	return all
}

const (
	noServer  = "there is no server"
	noProcess = "the log lives and dies with its process"
	noKinds   = "there is nothing at that address but streams"
)

var memoryExceptions = []exception{
	{"memory", 12, Restart, NotApplicable, noServer},
	{"memory", 16, WrongType, NotApplicable, noKinds},
	{"memory", 17, Killing, NotApplicable, noProcess},
	{"memory", 20, Secrets, NotApplicable, "it takes none"},
}

var fileExceptions = []exception{
	{"file", 12, Connection, NotApplicable, noServer},
	{"file", 12, Restart, NotApplicable, noServer},
	{"file", 16, Denial, NotApplicable, "tests that run as root are denied nothing"},
	{"file", 18, Deleting, Refused, "one stream of a log lies between the others"},
	{"file", 19, Fencing, NotApplicable, "a kernel lock belongs to a stopped process too"},
}

const (
	keepsNothing = "a pipe keeps nothing"
	isThere      = "a pipe is there or is not"
	inLines      = "a line is text and nothing else; use format=json"
)

var stdioExceptions = []exception{
	{"stdio", 3, Resuming, Refused, keepsNothing},
	{"stdio", 5, Moving, Refused, keepsNothing},
	{"stdio", 5, Choosing, Refused, keepsNothing},
	{"stdio", 6, Moving, Refused, keepsNothing},
	{"stdio", 7, Resuming, NotApplicable, keepsNothing},
	{"stdio", 8, Resetting, Refused, keepsNothing},
	{"stdio", 8, Trimming, NotApplicable, keepsNothing},
	{"stdio", 9, Keys, Refused, inLines},
	{"stdio", 9, Headers, Refused, inLines},
	{"stdio", 9, NilValues, Refused, inLines},
	{"stdio", 9, AnyBytes, Refused, inLines},
	{"stdio", 10, ReadingBack, NotApplicable, keepsNothing},
	{"stdio", 12, Connection, NotApplicable, noServer},
	{"stdio", 12, Restart, NotApplicable, noServer},
	{"stdio", 13, Resuming, Refused, keepsNothing},
	{"stdio", 16, Denial, NotApplicable, isThere},
	{"stdio", 16, WrongType, NotApplicable, isThere},
	{"stdio", 16, Absence, NotApplicable, isThere},
	{"stdio", 16, Deletion, NotApplicable, isThere},
	{"stdio", 16, GroupLoss, NotApplicable, "groups live in the process"},
	{"stdio", 17, Resuming, Refused, "beyond the running process: " + keepsNothing},
	{"stdio", 17, Killing, NotApplicable, keepsNothing},
	{"stdio", 18, Lagging, Refused, keepsNothing},
	{"stdio", 18, Managing, Refused, isThere},
	{"stdio", 19, Resuming, NotApplicable, keepsNothing},
	{"stdio", 19, Fencing, NotApplicable, keepsNothing},
}

var redisExceptions = []exception{
	{"redis", 8, GoneReports, NotApplicable, "the server cannot tell; the position is right all the same"},
	{"redis", 9, NilValues, Refused, "a field of an entry has a value"},
	{"redis", 9, SenderTime, Refused, "the server chooses; use time=id"},
	{"redis", 13, NewShards, NotApplicable, "without shards= a stream is one key"},
}

var kafkaExceptions = []exception{
	{"kafka", 19, BusyAtOpen, NotApplicable, "the server cannot tell: the later owner wins, the earlier gets ErrFenced at its next commit"},
}

var kinesisExceptions = []exception{
	{"kinesis", 9, Headers, Refused, "a record has none"},
	{"kinesis", 9, NilValues, Refused, "a record has data"},
	{"kinesis", 9, BinaryKeys, Refused, "a partition key is text"},
	{"kinesis", 9, SenderTime, Refused, "the server chooses"},
	{"kinesis", 18, NextKnown, NotApplicable, "the server does not say"},
}

// exceptionFor finds what excuses backend from part in promise.
func exceptionFor(backend string, promise int, part Part) (exception, bool) {
	for _, e := range exceptions() {
		if e.backend == backend && e.promise == promise && e.part == part {
			return e, true
		}
	}
	return exception{}, false
}

// consequence finds the promise whose exception makes part unavailable to
// backend in other promises too.
func consequence(backend string, part Part) (exception, bool) {
	for _, e := range exceptions() {
		if e.backend == backend && e.part == part {
			return e, true
		}
	}
	return exception{}, false
}
