"""HTTP/1.1 messages: reads bytes into heads and bodies, and writes them back as bytes."""
