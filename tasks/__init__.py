"""The Celery application, its schedule and thin tasks; never a rule of the trip, never a page."""
