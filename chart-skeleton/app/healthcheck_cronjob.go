package main

import (
	"errors"

	"[[ module ]]/internal/config"
)

func healthcheck(config.Config, []string) error {
	return errors.New("a job that runs once has nothing to ask")
}
