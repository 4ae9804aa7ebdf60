"""What stands around a recorder in a test or a demo: senders, a media server, a browser."""
