package testservers

import "errors"

func (p *process) suspend() error   { return errors.ErrUnsupported }
func (p *process) continues() error { return errors.ErrUnsupported }
