"""Read-only questions for pages and the API: who may see what is decided here; nothing is ever changed."""
