"""Settings, clock, calendar, logs, languages and the regulation as data; never a table, a queue or a page."""
