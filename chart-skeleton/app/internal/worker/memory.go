package worker

import "context"

// Memory is a Queue in this process, for tests and a first run: what is in it is lost when the process ends.
type Memory struct{ messages chan Message }

// NewMemory makes a queue with room for as many messages.
func NewMemory(room int) *Memory { return &Memory{messages: make(chan Message, room)} }

// Put waits for room.
func (m *Memory) Put(ctx context.Context, message Message) error {
	select {
	case m.messages <- message:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close says that no more messages come.
func (m *Memory) Close() { close(m.messages) }

// Next waits for a message.
func (m *Memory) Next(ctx context.Context) (Message, error) {
	// A message that is there must not be taken when the context has ended.
	if err := ctx.Err(); err != nil {
		return Message{}, err
	}
	select {
	case message, open := <-m.messages:
		if !open {
			return Message{}, ErrClosed
		}
		return message, nil
	case <-ctx.Done():
		return Message{}, ctx.Err()
	}
}
