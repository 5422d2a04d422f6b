"""The producer's side: hold the newest state of each table, answer whoever asks."""
