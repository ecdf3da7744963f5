package e2e

import "testing"

func pulledDuringTwentyCalls(t *testing.T, program string) {}
func pulledInTheMoment(t *testing.T, program string)       {}
func pulledAfterApply(t *testing.T, program string)        {}
func pulledWhileApplying(t *testing.T, program string)     {}
func stoppedInPeace(t *testing.T, program string)          {}
