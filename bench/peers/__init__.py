"""The core job as others would do it: the same tables, one message a task, each library as its documentation says."""
