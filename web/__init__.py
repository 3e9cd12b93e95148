"""Pages and the HTTP API: what people and programs see and ask for; never a rule of the trip, a queue or a task."""
