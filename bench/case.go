package main

import "slices"

// perTrial is how many messages a trial has where a case does not say: enough
// that its beginning and end do not count, few enough that those of 256 bytes
// fit into little memory.
const perTrial = 100_000

// bulky is where connecting and joining a group take their time: they are then
// little of a trial.
const bulky = 300_000

// benchCase is one measurement and the control that it is held against, and its
// peers, if any. All of them take turns in one process, so that whatever else
// the machine does disturbs each.
type benchCase struct {
	name    string // section/what/how, for -run and the table
	control string // what the control does
	goal    goal
	trial   int // messages per trial; zero: perTrial
	setup   func(b *bed) (pair, error)
}

// pair is a case's two sides, and others that are measured in the same rounds.
type pair struct {
	subject, control task
	peers            []peer
}

// peer is another library that does what the case does.
type peer struct {
	name  string
	least float64 // how many times its speed the case should have; zero asks nothing
	task  task
}

// task prepares one trial of bed.messages messages. Preparing is not measured.
type task func() (trial, error)

// trial is messages that are ready to be processed, once.
type trial struct {
	run      func() (processed int, err error) // what is measured
	end      func() error                      // afterwards, not measured; may be nil
	messages int                               // zero: bed.messages
}

// allCases is the registry: a new backend adds its cases here.
func allCases() []benchCase {
	return slices.Concat(engineCases(), sendCases(), stdioCases(), fileCases(), redisCases(), kafkaCases())
}
