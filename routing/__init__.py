"""Where packets and messages go: districts of addresses, queues, brokers; never what is in a packet."""
