package fake

import "time"

// later is a fact that holds some time after it was asked for.
type later[T any] struct {
	is, next T
	pending  bool
	at       time.Time
}

// now is the fact at this moment.
func (l *later[T]) now() T {
	if l.pending && !time.Now().Before(l.at) {
		l.is, l.pending = l.next, false
	}
	return l.is
}

// ask has the fact become v after the delay.
func (l *later[T]) ask(v T, delay time.Duration) {
	l.next, l.pending, l.at = v, true, time.Now().Add(delay)
	l.now()
}
