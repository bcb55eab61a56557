"""The commands of `bunmyaku eval`; adding one means adding one file with a function `command`."""
