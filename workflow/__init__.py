"""What people do to packets: one module per verb of the trip; the only place that writes packets."""
