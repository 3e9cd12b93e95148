"""Least credentials: what each process may do in Redis, RabbitMQ and PostgreSQL, as files for their administrators."""
