"""Services that send messages, faked at the wire: they answer as the real services do, and count what is asked."""
